using System.Text;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>The tokens of a vocabulary that contain one of DRY's breakers.</summary>
internal static class DryBreakerTokens
{
    /// <summary>The ids, or null where DRY is off.</summary>
    public static HashSet<int>? Find(SamplingOptions options, Tokenizer tokenizer)
    {
        if (options.DryMultiplier == 0)
            return null;
        var breakers = options.DryBreakers.Select(Encoding.UTF8.GetBytes).ToArray();
        var ids = new HashSet<int>();
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            foreach (var breaker in breakers)
            {
                if (tokenizer.TokenBytes(id).IndexOf(breaker) >= 0)
                    ids.Add(id);
            }
        }
        return ids;
    }
}
