using Dataflow.Engine.Models.Traffic;

namespace Dataflow.Engine.Tests.Models;

public sealed class CircuitTests
{
    private static readonly GateLimits Limits = SimulatedTraffic.Limits;

    [Fact]
    public void An_endpoint_that_refuses_everything_is_paused_with_one_message_and_probed_one_call_at_a_time()
    {
        var traffic = new SimulatedTraffic(512, Limits, _ => SimulatedAnswer.Busy(0.1));
        traffic.Run(600);
        (double at, string text) = Assert.Single(traffic.Said);
        Assert.True(at < 20, $"paused after {at} s");
        Assert.Matches("calls pause, since nearly all fail \\(http_429: slow down\\)", text);
        double[] probes = traffic.Answers.Where(answer => answer.At > at + 0.2).Select(answer => answer.At).ToArray();
        Assert.InRange(probes.Length, 20, 60);
        Assert.All(probes.Zip(probes.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 1, 31));
    }

    [Fact]
    public void A_few_callers_that_are_refused_for_long_pause_too()
    {
        var traffic = new SimulatedTraffic(1, Limits, _ => SimulatedAnswer.Busy(0.1));
        traffic.Run(120);
        Assert.Single(traffic.Said);
    }

    [Fact]
    public void A_few_callers_whose_calls_fail_one_after_the_other_pause_before_each_has_failed_often()
    {
        var traffic = new SimulatedTraffic(4, Limits, now => now < 5 ? SimulatedAnswer.Ok(0.1) : SimulatedAnswer.Fault(0.1));
        traffic.Run(10);
        Assert.Single(traffic.Said);
        Assert.InRange(traffic.Count(AnswerKind.Fault, 0, 10), 12, 20);
    }

    [Fact]
    public void Calls_go_on_and_the_observer_is_told_when_probes_are_answered()
    {
        var traffic = new SimulatedTraffic(512, Limits, now => now is > 5 and < 30 ? SimulatedAnswer.Fault(0.1) : SimulatedAnswer.Ok(0.1));
        traffic.Run(60);
        Assert.Equal(2, traffic.Said.Count);
        Assert.Contains("calls pause", traffic.Said[0].Text, StringComparison.Ordinal);
        Assert.Matches("calls go on after [0-9]+ s", traffic.Said[1].Text);
        Assert.InRange(traffic.Said[1].At, 30, 36);
    }

    [Fact]
    public void A_wait_that_the_endpoint_asks_for_is_kept_by_probes()
    {
        var traffic = new SimulatedTraffic(512, Limits, _ => SimulatedAnswer.Busy(0.1, retryAfter: 40));
        traffic.Run(200);
        double paused = traffic.Said[0].At;
        double[] probes = traffic.Answers.Where(answer => answer.At > paused + 0.2).Select(answer => answer.At).ToArray();
        Assert.InRange(probes.Length, 3, 5);
    }

    [Fact]
    public void After_an_hour_without_an_answer_waiting_calls_are_refused_with_the_cause()
    {
        var traffic = new SimulatedTraffic(8, Limits, _ => SimulatedAnswer.Busy(0.1));
        traffic.Run(3500);
        Assert.Null(traffic.Closed);
        traffic.Run(300);
        Assert.Matches("no call was answered for 60 min .*http_429: slow down", traffic.Closed!);
    }

    [Fact]
    public void A_fifth_of_faults_pauses_nothing()
    {
        var random = new Random(5);
        var traffic = new SimulatedTraffic(512, Limits, _ => random.NextDouble() < 0.2 ? SimulatedAnswer.Fault(0.01, "no_connection") : SimulatedAnswer.Ok(0.25));
        traffic.Run(60);
        Assert.Empty(traffic.Said);
    }

    [Fact]
    public void When_an_endpoint_cannot_be_reached_the_other_takes_the_calls_until_it_is_back()
    {
        var traffic = new SimulatedTraffic(
            256, Limits with { Concurrency = 64 },
            now => now is > 10 and < 30 ? SimulatedAnswer.Fault(0.001, "no_connection") : SimulatedAnswer.Ok(0.2),
            _ => SimulatedAnswer.Ok(0.2));
        traffic.Run(60);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 5, 10, server: 0), 0.9 * 5 * 320, 5 * 320);
        Assert.Equal(0, traffic.Count(AnswerKind.Answered, 11, 30, server: 0));
        Assert.InRange(traffic.Count(AnswerKind.Fault, 0, 60), 8, 200);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 11, 30, server: 1), 0.9 * 19 * 320, 19 * 320);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 40, 60, server: 0), 0.9 * 20 * 320, 20 * 320);
    }
}
