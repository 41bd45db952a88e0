namespace Dataflow.Engine.Diagnostics;

/// <summary>The stable names of mistakes.</summary>
public static class DiagnosticCodes
{
    public const string BadYaml = "DF0001";
    public const string DuplicateKey = "DF0002";
    public const string TooLarge = "DF0003";
    public const string MissingFile = "DF0004";
    public const string UnknownKey = "DF0005";
    public const string WrongType = "DF0006";
    public const string Missing = "DF0007";
    public const string OutOfRange = "DF0008";
    public const string BadName = "DF0009";
    public const string UnknownVariable = "DF0010";
    public const string BadInclude = "DF0011";
    public const string UnknownStageType = "DF0012";
    public const string UnknownStage = "DF0013";
    public const string UnknownPort = "DF0014";
    public const string UnknownModel = "DF0015";
    public const string UnknownModelType = "DF0016";
    public const string WrongModelKind = "DF0017";
    public const string BadInput = "DF0018";
    public const string Cycle = "DF0019";
    public const string Column = "DF0020";
    public const string ColumnConflict = "DF0021";
    public const string OptionRejected = "DF0022";
    public const string UnconnectedPort = "DF0023";
    public const string Declaration = "DF0024";
    public const string Unused = "DF0025";
    public const string Environment = "DF0030";
    public const string BadPlugin = "DF0040";
    public const string PluginContract = "DF0041";
    public const string PluginCollision = "DF0042";

    /// <summary>The constant's name, such as UnknownStage for DF0013.</summary>
    public static string NameOf(string code) =>
        typeof(DiagnosticCodes).GetFields().FirstOrDefault(field => field.GetRawConstantValue() as string == code)?.Name ?? code;
}
