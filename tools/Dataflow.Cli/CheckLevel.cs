namespace Dataflow.Cli;

/// <summary>How far a pipeline is looked at; each level contains those before it.</summary>
internal enum CheckLevel
{
    /// <summary>The files alone: YAML, keys, includes, references. No plugin is loaded.</summary>
    Syntax,

    /// <summary>Stages, options, ports, columns, models, against the plugins. Secrets need not be there.</summary>
    Graph,

    /// <summary>This machine too: secrets, endpoints, checkpoints, devices, sandbox, folders, disk.</summary>
    Environment,
}
