namespace Dataflow.Abstractions;

/// <summary>Marks a <see cref="long"/> option that is written as a byte size: <c>512MB</c>, <c>1GiB</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ByteSizeAttribute : Attribute;
