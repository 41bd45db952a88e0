namespace Dataflow.Abstractions;

/// <summary>
/// Marks an integer option that says how many model calls a row makes side by side, such as samples. The engine keeps
/// correspondingly fewer rows in flight to fill the model.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CallsPerRowAttribute : Attribute;
