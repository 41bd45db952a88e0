using System.ComponentModel.DataAnnotations;

namespace Dataflow.Abstractions;

/// <summary>The shortest time that a duration option may be.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ShortestAttribute(double seconds) : ValidationAttribute
{
    public double Seconds => seconds;

    public override bool IsValid(object? value) => value is not TimeSpan time || time.TotalSeconds >= seconds;
}
