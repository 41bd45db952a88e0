using Dataflow.Engine.Models.Traffic;

namespace Dataflow.Engine.Tests.Models;

public sealed class AdaptiveLimitTests
{
    private static readonly GateLimits Limits = SimulatedTraffic.Limits;

    [Fact]
    public void An_endpoint_that_takes_everything_is_filled_to_the_ceiling_and_no_further()
    {
        var traffic = new SimulatedTraffic(512, Limits, _ => SimulatedAnswer.Ok(0.25));
        traffic.Run(12);
        Assert.Equal(256, traffic.MostUnderWay);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 2, 12), 0.98 * 256 / 0.25 * 10, 256 / 0.25 * 10);
    }

    [Theory]
    [InlineData(5, 5, 0.25)]
    [InlineData(20, 1, 0.25)]
    [InlineData(60, 60, 0.25)]
    [InlineData(60, 300, 0.25)]
    [InlineData(200, 20, 0.25)]
    [InlineData(200, 200, 0.25)]
    [InlineData(200, 2000, 0.25)]
    [InlineData(700, 70, 0.25)]
    [InlineData(100, 100, 2)]
    [InlineData(10, 10, 20)]
    public void A_token_bucket_of_unknown_rate_is_used_to_90_percent_with_few_refusals(double rate, double burst, double seconds)
    {
        var bucket = new ServerBucket(rate, burst);
        var traffic = new SimulatedTraffic(512, Limits, now => bucket.Take(now) ? SimulatedAnswer.Ok(seconds) : SimulatedAnswer.Busy(0.005, 1));
        traffic.Run(150);
        double from = 30 + seconds;
        int answered = traffic.Count(AnswerKind.Answered, from, 150);
        int refused = traffic.Count(AnswerKind.Busy, from, 150);
        Assert.True(answered >= 0.9 * rate * (150 - from), $"{answered / (150 - from):0.0} of {rate} a second");
        Assert.True(refused < 0.05 * (answered + refused), $"{refused} of {answered + refused} refused");
    }

    [Fact]
    public void A_limit_on_places_at_the_server_is_found_as_well()
    {
        int there = 0;
        var leaving = new Queue<double>();
        var traffic = new SimulatedTraffic(512, Limits, now =>
        {
            while (leaving.TryPeek(out double at) && at <= now)
            {
                leaving.Dequeue();
                there--;
            }

            if (there >= 40)
            {
                return SimulatedAnswer.Busy(0.005);
            }

            there++;
            leaving.Enqueue(now + 0.5);
            return SimulatedAnswer.Ok(0.5);
        });
        traffic.Run(120);
        int answered = traffic.Count(AnswerKind.Answered, 30, 120);
        int refused = traffic.Count(AnswerKind.Busy, 30, 120);
        Assert.True(answered >= 0.9 * 80 * 90, $"{answered / 90.0:0.0} of 80 a second");
        Assert.True(refused < 0.05 * (answered + refused), $"{refused} of {answered + refused} refused");
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.6)]
    [InlineData(1.0)]
    public void After_a_storm_of_refusals_capacity_is_used_again_within_30_seconds(double share)
    {
        var random = new Random(7);
        var traffic = new SimulatedTraffic(512, Limits, now => now is >= 10 and < 70 && random.NextDouble() < share ? SimulatedAnswer.Busy(0.005) : SimulatedAnswer.Ok(0.25));
        traffic.Run(130);
        double perSecond = traffic.Count(AnswerKind.Answered, 100, 130) / 30.0;
        Assert.True(perSecond >= 0.9 * 256 / 0.25, $"{perSecond:0} a second; " + string.Join("; ", traffic.Said));
    }

    [Fact]
    public void Faults_do_not_lower_the_limit()
    {
        var random = new Random(3);
        var traffic = new SimulatedTraffic(768, Limits, _ => random.NextDouble() < 0.2 ? SimulatedAnswer.Fault(0.25) : SimulatedAnswer.Ok(0.25));
        traffic.Run(20);
        Assert.Empty(traffic.Said);
        Assert.True(traffic.Answers.Count(answer => answer.At >= 5) >= 0.95 * 15 * 256 / 0.25);
    }

    [Fact]
    public void Requests_and_tokens_per_minute_are_never_exceeded()
    {
        var traffic = new SimulatedTraffic(100, Limits with { RequestsPerMinute = 600 }, _ => SimulatedAnswer.Ok(0.1));
        traffic.Run(60);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 0, 60), 590, 610);
        // Each simulated call is expected to take 100 tokens.
        traffic = new SimulatedTraffic(100, Limits with { TokensPerMinute = 120_000 }, _ => SimulatedAnswer.Ok(0.1));
        traffic.Run(60);
        Assert.InRange(traffic.Count(AnswerKind.Answered, 0, 60), 1180, 1200 + 100);
    }
}
