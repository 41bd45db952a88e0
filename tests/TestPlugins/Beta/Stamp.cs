using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Beta;

[Stage("beta.stamp", "Writes the version of this plugin's own Newtonsoft.Json into a column.")]
public sealed class Stamp(StampOptions options) : IBatchTransform, IStage<StampOptions>
{
    public static void Declare(StampOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input.With((options.Column, Columns.Text)));

    public ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        string version = typeof(Newtonsoft.Json.JsonConvert).Assembly.GetName().Version!.ToString();
        var rows = new List<IReadOnlyDictionary<string, object?>>();
        for (int i = 0; i < batch.Length; i++)
        {
            rows.Add(new Dictionary<string, object?>(new Row(batch, i, "", []).ToDictionary()) { [options.Column] = version });
        }

        return ValueTask.FromResult(ArrowRows.BuildBatch(batch.Schema.With((options.Column, Columns.Text)), rows));
    }
}

public sealed record StampOptions
{
    public string Column { get; init; } = "beta";
}
