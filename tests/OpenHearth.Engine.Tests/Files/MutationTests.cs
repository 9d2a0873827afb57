using System.Diagnostics;
using System.Globalization;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests.Files;

/// <summary>
/// Mutants of small files: each opens and can be read to its end, or fails as <see cref="ModelFormatException"/> in
/// one line, within a second and 64 MiB. A longer run, with its own seed:
/// <c>HEARTH_MUTANTS=1000000 HEARTH_MUTATION_SEED=7 dotnet test --project tests/OpenHearth.Engine.Tests -c Release --filter-class '*MutationTests'</c>.
/// A failure names the seed and number of the mutant, which alone decide its bytes.
/// </summary>
public sealed class MutationTests
{
    private static readonly int Mutants = Setting("HEARTH_MUTANTS", 20_000);
    private static readonly int Seed = Setting("HEARTH_MUTATION_SEED", 1);

    [Theory]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public void Gguf_EveryMutant_OpensOrFailsCleanly(int version, bool bigEndian) => Run(Small.Gguf(version, bigEndian), ReadGguf);

    [Fact]
    public void Safetensors_EveryMutant_OpensOrFailsCleanly() => Run(Small.Safetensors(), ReadSafetensors);

    [Fact]
    public void SafetensorsIndex_EveryMutant_ReadsOrFailsCleanly() =>
        Run(Small.Index(), region => SafetensorsShards.ParseIndex(region, "mutant").WeightMap.Count);

    [Fact]
    public void HuggingFaceConfig_EveryMutant_ReadsOrFailsCleanly() => Run(Small.Config(), ReadConfig);

    private static void Run(byte[] original, Func<MemoryRegion, long> read)
    {
        Assert.NotEqual(0, RawBytes.Over(original, read));
        var mutator = new Mutator(original, Seed);
        using var buffer = new NativeBuffer<byte>(Mutator.MaxLength(original.Length));
        var failures = 0;
        for (var number = 0; number < Mutants; number++)
        {
            var mutant = mutator.Make(number);
            mutant.CopyTo(buffer.Span);
            if (!Survives(read, MemoryRegion.Of(buffer).Slice(0, mutant.Length), number))
                failures++;
        }
        // Most mutants must be noticed, and some must still open, or the test would prove nothing.
        Assert.InRange(failures, Mutants / 10, Mutants - 1);
    }

    private static bool Survives(Func<MemoryRegion, long> read, MemoryRegion region, int number)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        string? message = null;
        try
        {
            read(region);
        }
        catch (ModelFormatException failure)
        {
            message = failure.Message;
        }
        catch (Exception failure)
        {
            Assert.Fail($"Mutant {number} of seed {Seed}: {failure}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (message is not null && (!message.StartsWith("mutant: ", StringComparison.Ordinal) || message.Any(char.IsControl)))
            Assert.Fail($"Mutant {number} of seed {Seed}: {message}");
        if (allocated > 64 << 20 || watch.Elapsed.TotalSeconds > 1)
            Assert.Fail($"Mutant {number} of seed {Seed} took {allocated} bytes and {watch.Elapsed}");
        return message is null;
    }

    private static long ReadGguf(MemoryRegion region)
    {
        using var file = GgufFile.Read(region, "mutant");
        var sum = 1L;
        foreach (var key in file.Metadata.Keys)
        {
            Assert.True(file.Metadata.TryGet(key, out var value));
            sum += value.ToString().Length;
            if (value.Type == GgufValueType.Array && value.ElementType == GgufValueType.String)
                sum += value.ToStrings().ToArray().Sum(text => text.Length);
        }
        foreach (var tensor in file.Tensors)
            sum += Sum(tensor.Data);
        return sum;
    }

    private static long ReadSafetensors(MemoryRegion region)
    {
        using var model = SafetensorsModel.Read(region, "mutant");
        return 1 + model.Metadata.Count + model.Tensors.Sum(tensor => Sum(tensor.Data));
    }

    private static long ReadConfig(MemoryRegion region)
    {
        var config = HuggingFaceConfig.Parse(region.Span(0, (int)region.Length).ToArray(), "mutant");
        _ = config.FindString("model_type");
        _ = config.FindInteger("hidden_size");
        _ = config.FindNumbers("time_step_limit");
        _ = config.Rope("full_attention");
        return 1 + config.EosTokenIds.Count + config.Architectures.Count;
    }

    private static long Sum(MemoryRegion region)
    {
        var sum = 0L;
        foreach (var value in region.Span(0, (int)region.Length))
            sum += value;
        return sum;
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
