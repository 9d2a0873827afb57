using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenHearth.Cli.Rendering;

/// <summary>What <c>tokenize</c> prints.</summary>
internal sealed record TokensDocument(IReadOnlyList<int> Ids, IReadOnlyList<string> Pieces, IReadOnlyList<int[]> Offsets);

/// <summary>What <c>detokenize</c> and <c>template</c> print.</summary>
internal sealed record TextDocument(string Text);

/// <summary>The result of an item of a batch that failed.</summary>
internal sealed record ErrorDocument(string Error);

/// <summary>What <c>logits</c> prints.</summary>
/// <param name="Shape">Rows and values a row.</param>
/// <param name="Kind"><c>logits</c> or <c>hidden</c>.</param>
/// <param name="Top">The highest of each row, where they were asked for.</param>
internal sealed record LogitsDocument(int[] Shape, string Kind, IReadOnlyList<Candidate[]>? Top);

/// <summary>A token and its score, written as a pair.</summary>
[JsonConverter(typeof(CandidateConverter))]
internal readonly record struct Candidate(int Id, float Logit);

/// <summary><c>[id, logit]</c></summary>
internal sealed class CandidateConverter : JsonConverter<Candidate>
{
    public override Candidate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

    public override void Write(Utf8JsonWriter writer, Candidate value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(value.Id);
        if (float.IsFinite(value.Logit))
            writer.WriteNumberValue(value.Logit);
        else
            writer.WriteStringValue(value.Logit.ToString(System.Globalization.CultureInfo.InvariantCulture));
        writer.WriteEndArray();
    }
}

/// <summary>What <c>embed</c> prints.</summary>
/// <param name="Model">As it was typed.</param>
/// <param name="Dimensions">Values of a vector.</param>
/// <param name="Embeddings">One vector of length 1 a text.</param>
internal sealed record EmbeddingsDocument(string Model, int Dimensions, IReadOnlyList<float[]> Embeddings);

/// <summary>What <c>bench</c> prints.</summary>
internal sealed record BenchDocument(string Model, int Threads, string Cpu, double LoadMs, double RssMb, double FileMb, SpeedDocument Prefill, SpeedDocument Decode, DeepSpeedDocument? DecodeDeep, IReadOnlyList<BatchSpeedDocument>? Batches, ProfileDocument? Profile);

/// <summary>Decode behind some tokens of context.</summary>
/// <param name="Depth">How many.</param>
/// <param name="Tokens">Tokens made.</param>
/// <param name="Tps">Tokens a second.</param>
/// <param name="Ratio">To decode behind nothing in the same round.</param>
internal sealed record DeepSpeedDocument(int Depth, int Tokens, SpreadDocument Tps, SpreadDocument Ratio);

/// <summary>Steps of several tokens: one of each of as many sequences, or all of one sequence. Ratios are to decode in the same round.</summary>
internal sealed record BatchSpeedDocument(int Rows, SpreadDocument SequencesTps, SpreadDocument SequencesRatio, SpreadDocument OneTps, SpreadDocument OneRatio);

/// <summary>What <c>bench --profile</c> adds.</summary>
internal sealed record ProfileDocument(LimitsDocument Limits, GenerationDocument Generation, StepDocument Decode, StepDocument Prefill);

/// <summary>The kernels that were generated for the steps of this run.</summary>
internal sealed record GenerationDocument(int Count, int Bytes, double Ms, IReadOnlyList<GeneratedDocument> Kernels);

/// <summary>One generated kernel.</summary>
internal sealed record GeneratedDocument(string Name, int Bytes, double Ms);

/// <summary>The limits of the computer in the same run: gigabytes and thousand millions of multiply-adds a second; 0 where nothing reaches the unit.</summary>
internal sealed record LimitsDocument(int Threads, double ReadGbPerS, double F32GmacPerS, double VnniGmacPerS, double Bf16GmacPerS, double TileGmacPerS);

/// <summary>One kind of step: medians over <paramref name="Steps"/>.</summary>
internal sealed record StepDocument(int Tokens, int Depth, int Steps, double Ms, IReadOnlyList<OpDocument> Ops);

/// <summary>Ops of one kind within a step.</summary>
/// <param name="Op">Kind, and for products role and format.</param>
/// <param name="Calls">A step.</param>
/// <param name="Ms">Of all calls.</param>
/// <param name="Share">Of the step's time.</param>
/// <param name="Mb">Weights or cache read.</param>
/// <param name="GbPerS">The same a second.</param>
/// <param name="OfRead">Share of the read bandwidth.</param>
/// <param name="GmacPerS">Multiply-adds needed a second.</param>
/// <param name="OfPeak">Share of what <paramref name="Peak"/> can do.</param>
/// <param name="Peak"><c>f32</c>, <c>bf16</c> or <c>vnni</c> (on bytes: activations of 16 bits reach half).</param>
internal sealed record OpDocument(string Op, int Calls, double Ms, double Share, double? Mb, double? GbPerS, double? OfRead, double? GmacPerS, double? OfPeak, string Peak);

/// <summary>The speed of one kind of step.</summary>
internal sealed record SpeedDocument(int Tokens, SpreadDocument Tps);

/// <summary>A number measured several times.</summary>
internal sealed record SpreadDocument(double Median, double Min, double Max);

/// <summary>What <c>info</c> prints.</summary>
internal sealed record InfoDocument(string Version, string Runtime, string Os, string Cpu, int Cores, InstructionsDocument Instructions, long MemoryBytes, PeaksDocument? Measured, bool Offline, PathsDocument Paths);

/// <summary>What the processor can do, and what of it is used (<c>scalar</c>, <c>vector</c>, <c>avx2</c>, <c>avx512</c>, <c>amx</c>).</summary>
internal sealed record InstructionsDocument(IReadOnlyList<string> Found, string HighestLevel, string UsedLevel, string? NoGeneratedCode);

/// <summary>What <c>info --measure</c> measured: gigabytes a second from memory, F32 gigaoperations a second.</summary>
internal sealed record PeaksDocument(int Threads, double ReadGbPerS, double ReadGbPerSOneThread, double F32GflopPerS);

/// <summary>What <c>info --kernels</c> prints.</summary>
internal sealed record KernelsDocument(string Cpu, string Level, IReadOnlyList<KernelChoiceDocument> Kernels);

/// <summary>The kernel of a format for so many tokens; <paramref name="ToTokens"/> is absent where there is no end.</summary>
internal sealed record KernelChoiceDocument(string Format, int FromTokens, int? ToTokens, string Kernel, string Why, string? Generated);

/// <summary>What <c>info --kernels NAME</c> prints: machine code as text.</summary>
internal sealed record ListingDocument(string Kernel, string Listing);

/// <summary>Where the program keeps things, and the models it knows by name.</summary>
internal sealed record PathsDocument(string Program, string Home, IReadOnlyList<string> Models);

/// <summary>What <c>show</c> prints.</summary>
internal sealed record CardDocument(
    string Name, string Path, string Format, string Architecture, bool Supported, long Parameters, int? ContextLength, int? Layers, long FileBytes,
    string? License, IReadOnlyList<TensorsDocument> Tensors, string? ChatTemplate, IReadOnlyDictionary<string, string> Metadata);

/// <summary>What <c>show --memory</c> prints.</summary>
internal sealed record MemoryDocument(
    string Model, int Context, long WeightBytes, long CacheBytes, long StateBytes, long ActivationBytes, long WorkspaceBytes, long ProgramBytes, long TotalBytes, long AvailableBytes);

/// <summary>How much of a model is stored in a type.</summary>
internal sealed record TensorsDocument(string Type, int Count, long Parameters);

/// <summary>What <c>run</c> prints.</summary>
internal sealed record RunDocument(string Model, string Text, string FinishReason, int PromptTokens, int CompletionTokens, TimingsDocument Timings, long Seed);

/// <summary>Where the time of an answer went; per second where the name says tps.</summary>
internal sealed record TimingsDocument(double LoadMs, double PromptMs, double PromptTps, double DecodeMs, double DecodeTps);

/// <summary>What <c>perplexity</c> prints.</summary>
/// <param name="Perplexity">exp of the mean negative log-likelihood.</param>
/// <param name="Stderr">Its standard error.</param>
/// <param name="Tokens">Tokens scored.</param>
/// <param name="Chunks">The perplexity after each window.</param>
/// <param name="ComparedWithExact">Where it was asked for.</param>
internal sealed record PerplexityDocument(double Perplexity, double Stderr, long Tokens, IReadOnlyList<double> Chunks, AgreementDocument? ComparedWithExact);

/// <summary>What <c>perplexity --compare-exact</c> adds.</summary>
/// <param name="Perplexity">With <c>--exact</c>.</param>
/// <param name="Stderr">Its standard error.</param>
/// <param name="Top1Agreement">Part of the tokens for which both have the same most probable one.</param>
/// <param name="MeanKlDivergence">Of the exact distribution from the default one, in nats.</param>
/// <param name="MaxKlDivergence">The largest of a token.</param>
internal sealed record AgreementDocument(double Perplexity, double Stderr, double Top1Agreement, double MeanKlDivergence, double MaxKlDivergence);

/// <summary>What <c>selftest</c> prints.</summary>
internal sealed record SelfTestDocument(int Passed, int Failed, IReadOnlyList<KernelDocument> Kernels);

/// <summary>One kernel against its scalar twin; a deviation of 1 is the most that is allowed.</summary>
internal sealed record KernelDocument(string Kernel, string Level, bool Passed, double Deviation);

/// <summary>What <c>convert</c> prints.</summary>
internal sealed record ConversionDocument(string Path, string Type, long Bytes);
