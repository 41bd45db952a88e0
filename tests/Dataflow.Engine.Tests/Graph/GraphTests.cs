using Dataflow.Abstractions;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Tests.Graph;

public sealed class GraphTests
{
    private const string Recipe = """
        name: recipe
        vars: { steps: 5 }
        models:
          base:    { uses: llama, from: pretrain }
          trained: { uses: llama, from: sft }
        stages:
          rows:     { uses: io.jsonl, with: { path: n.jsonl } }
          split:    { uses: data.split, from: rows, with: { by: [id] } }
          pretrain: { uses: train.lm, from: split.train, with: { text: text, shape: { hidden_size: 32, layers: 1, heads: 2, kv_heads: 1, context: 64 }, steps: "${var:steps}" } }
          sample:   { uses: llm.generate, from: split.test, with: { model: base, prompt: "{{ text }}" } }
          dialogs:  { uses: chat.messages, from: sample, with: { user: "{{ text }}" } }
          sft:      { uses: train.sft, from: dialogs, with: { init: base, steps: 1 } }
          answer:   { uses: llm.generate, from: split.test, with: { model: trained, prompt: "{{ text }}" } }
          out:      { uses: io.jsonl_sink, from: answer, with: { path: o.jsonl } }
        """;

    [Fact]
    public void A_phase_ends_where_a_stage_needs_all_rows_or_a_trained_model()
    {
        using Compiled compiled = Compiled.From(Recipe);
        Assert.Empty(compiled.Lines);
        Assert.Equal(
            ["rows 0", "split 1", "pretrain 2", "sample 3", "dialogs 3", "sft 4", "answer 5", "out 5"],
            compiled.Graph!.Stages.Select(stage => $"{stage.Name} {stage.Phase}"));
    }

    [Fact]
    public void A_model_that_is_trained_on_its_own_answers_is_a_circle()
    {
        using Compiled compiled = Compiled.From(Recipe.Replace("model: base,", "model: trained,", StringComparison.Ordinal));
        Assert.Equal("DF0019", Assert.Single(compiled.Errors).Code);
        Assert.Contains("sample -> dialogs -> sft -> sample", compiled.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Later_stages_know_the_columns_that_earlier_ones_make()
    {
        using Compiled compiled = Compiled.From(Recipe);
        Assert.Equal(
            ["text", "id", "response", "finish_reason", "sample", "prompt_id", "input_tokens", "output_tokens", "messages"],
            compiled.Graph!.Stage("dialogs").Port("out").Schema.FieldsList.Select(field => field.Name));
    }

    [Fact]
    public void A_union_takes_streams_with_equal_columns_and_refuses_a_column_of_two_types()
    {
        const string Yaml = """
            name: union
            stages:
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              b: { uses: io.jsonl, with: { path: n.jsonl, columns: { text: text, id: TYPE } } }
              c: { uses: io.jsonl_sink, from: [a, b], with: { path: o.jsonl } }
            """;
        using Compiled same = Compiled.From(Yaml.Replace("TYPE", "integer", StringComparison.Ordinal));
        Assert.Empty(same.Lines);
        using Compiled other = Compiled.From(Yaml.Replace("TYPE", "text", StringComparison.Ordinal));
        Assert.Equal("DF0021", Assert.Single(other.Errors).Code);
        Assert.Contains("id", other.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_definition_hash_changes_with_meaning_and_not_with_form()
    {
        string Hash(string yaml, string? steps = null)
        {
            using Compiled compiled = Compiled.From(yaml, steps is null ? null : new Dictionary<string, string> { ["steps"] = steps });
            Assert.Empty(compiled.Lines);
            return compiled.Graph!.DefinitionHash;
        }

        string hash = Hash(Recipe);
        Assert.Equal(hash, Hash("# a comment\n" + Recipe.Replace("{ by: [id] }", "{ by:   [ id ] }", StringComparison.Ordinal)));
        Assert.Equal(hash, Hash(Recipe, "5"));
        Assert.NotEqual(hash, Hash(Recipe, "6"));
        Assert.NotEqual(hash, Hash(Recipe.Replace("by: [id]", "by: [text]", StringComparison.Ordinal)));
        Assert.NotEqual(hash, Hash(Recipe.Replace("from: split.test, with: { model: base", "from: split.train, with: { model: base", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_graph_is_drawn_with_every_stage_and_edge()
    {
        using Compiled compiled = Compiled.From(Recipe);
        string mermaid = GraphRenderer.Mermaid(compiled.Graph!);
        string dot = GraphRenderer.Dot(compiled.Graph!);
        foreach (string stage in compiled.Graph!.Stages.Select(stage => stage.Name))
        {
            Assert.Contains(stage, mermaid, StringComparison.Ordinal);
            Assert.Contains(stage, dot, StringComparison.Ordinal);
        }

        Assert.StartsWith("flowchart", mermaid, StringComparison.Ordinal);
        Assert.StartsWith("digraph", dot, StringComparison.Ordinal);
        // A dashed edge for a model that a stage trains.
        Assert.Contains("-.", mermaid, StringComparison.Ordinal);
        Assert.Contains("dashed", dot, StringComparison.Ordinal);
    }
}
