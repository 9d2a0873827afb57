namespace OpenHearth.Peers;

/// <summary>The dimensions of a Llama that is filled with random weights.</summary>
internal sealed record Shape(
    string Name, int Layers, int Hidden, int FeedForward, int Heads, int KvHeads, int Vocabulary, float RopeTheta, bool Tied, string Architecture = "llama", int Context = 8192)
{
    public static readonly Shape TinyLlama = new("tinyllama-1.1b", 22, 2048, 5632, 32, 4, 32000, 10000, Tied: false);

    public static readonly Shape Llama32 = new("llama-3.2-1b", 16, 2048, 8192, 32, 8, 128256, 500000, Tied: true);

    public static readonly Shape SmolLm3 = new("smollm3-3b", 36, 2048, 11008, 16, 4, 128256, 5000000, Tied: true, "smollm3", 131072);
}
