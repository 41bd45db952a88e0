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

    [Theory]
    [InlineData("endpoint: \"http://a/v1\"", "endpoint: \"http://b/v1\"", true)]
    [InlineData("api_key: one", "api_key: two", true)]
    [InlineData("limits: { retries: 1 }", "limits: { retries: 9, timeout: 1m, concurrency: 2 }", true)]
    [InlineData("concurrency: 4, retries: 1, max_errors: 1%", "concurrency: 8, retries: 0, max_errors: 50", true)]
    [InlineData("stall_after: 1m, queue_bytes: 1MiB, block_capacity: 4, max_errors: 5", "block_capacity: 9", true)]
    [InlineData("model: small", "model: large", false)]
    [InlineData("seed: 1", "seed: 2", false)]
    [InlineData("threads: 1", "threads: 2", false)]
    [InlineData("samples: 2", "samples: 3", false)]
    public void The_definition_hash_leaves_out_what_changes_no_result(string text, string replacement, bool same)
    {
        const string Yaml = """
            run: { seed: 1, threads: 1, stall_after: 1m, queue_bytes: 1MiB, block_capacity: 4, max_errors: 5 }
            models: { m: { uses: openai, with: { endpoint: "http://a/v1", model: small, api_key: one }, limits: { retries: 1 } } }
            stages:
              rows: { uses: io.jsonl, with: { path: n.jsonl } }
              ask:  { uses: llm.generate, from: rows, concurrency: 4, retries: 1, max_errors: 1%, with: { model: m, prompt: "{{ text }}", samples: 2 } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: o.jsonl } }
            """;
        using Compiled before = Compiled.From(Yaml);
        using Compiled after = Compiled.From(Yaml.Replace(text, replacement, StringComparison.Ordinal));
        Assert.Empty(before.Lines);
        Assert.Empty(after.Lines);
        Assert.Equal(same, before.Graph!.DefinitionHash == after.Graph!.DefinitionHash);
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
