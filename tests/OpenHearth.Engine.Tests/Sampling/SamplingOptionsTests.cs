using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class SamplingOptionsTests
{
    private static readonly SamplingOptions Default = new();

    public static TheoryData<string, SamplingOptions> Wrong => new()
    {
        { nameof(SamplingOptions.Temperature), Default with { Temperature = -0.1f } },
        { nameof(SamplingOptions.Temperature), Default with { Temperature = float.NaN } },
        { nameof(SamplingOptions.TopK), Default with { TopK = -1 } },
        { nameof(SamplingOptions.TopP), Default with { TopP = 0 } },
        { nameof(SamplingOptions.TopP), Default with { TopP = 1.01f } },
        { nameof(SamplingOptions.MinP), Default with { MinP = 2 } },
        { nameof(SamplingOptions.TypicalP), Default with { TypicalP = float.NaN } },
        { nameof(SamplingOptions.TopNSigma), Default with { TopNSigma = -1 } },
        { nameof(SamplingOptions.RepeatPenalty), Default with { RepeatPenalty = 0 } },
        { nameof(SamplingOptions.RepeatLastN), Default with { RepeatLastN = -1 } },
        { nameof(SamplingOptions.FrequencyPenalty), Default with { FrequencyPenalty = float.PositiveInfinity } },
        { nameof(SamplingOptions.PresencePenalty), Default with { PresencePenalty = float.NaN } },
        { nameof(SamplingOptions.DryMultiplier), Default with { DryMultiplier = -1 } },
        { nameof(SamplingOptions.DryBase), Default with { DryBase = 0.5f } },
        { nameof(SamplingOptions.DryAllowedLength), Default with { DryAllowedLength = 0 } },
        { nameof(SamplingOptions.DryLastN), Default with { DryLastN = int.MaxValue } },
        { nameof(SamplingOptions.DryBreakers), Default with { DryBreakers = ["\n", ""] } },
        { nameof(SamplingOptions.XtcProbability), Default with { XtcProbability = 1.5f } },
        { nameof(SamplingOptions.XtcThreshold), Default with { XtcThreshold = -0.5f } },
        { nameof(SamplingOptions.MirostatTau), Default with { MirostatTau = float.PositiveInfinity } },
        { nameof(SamplingOptions.MirostatEta), Default with { MirostatEta = 0 } },
        { nameof(SamplingOptions.LogitBias), Default with { LogitBias = new Dictionary<int, float> { [-1] = 1 } } },
        { nameof(SamplingOptions.LogitBias), Default with { LogitBias = new Dictionary<int, float> { [1] = float.NaN } } },
        { nameof(SamplingOptions.LogitBias), Default with { LogitBias = new Dictionary<int, float> { [100] = 1 } } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void Sampler_OfAnOptionOutOfRange_NamesTheField(string field, SamplingOptions options)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(options, 100));
        Assert.Equal(field, error.ParamName);
        Assert.StartsWith($"{field} is ", error.Message, StringComparison.Ordinal);
        Assert.Contains("it must be ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfTheDefaultsAndGreedy_Passes()
    {
        Default.Validate();
        SamplingOptions.Greedy.Validate();
    }
}
