using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.talk", "Passes rows on and prints, as code that was once a script does.")]
public sealed class Talk(TalkOptions options) : IRowStage, IStage<TalkOptions>
{
    public static void Declare(TalkOptions options, StageDeclaration declaration)
    {
        Console.WriteLine(options.Text);
        declaration.Out(declaration.Input);
    }

    public ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Console.Out.WriteLine(options.Text);
        output.Emit("out");
        return ValueTask.CompletedTask;
    }
}

public sealed record TalkOptions
{
    public string Text { get; init; } = "said by a plugin";
}
