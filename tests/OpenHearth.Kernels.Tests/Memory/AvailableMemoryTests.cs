using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.Memory;

public sealed class AvailableMemoryTests : IDisposable
{
    private const long Gigabyte = 1L << 30;

    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-cgroup-").FullName;
    private readonly string _root;

    public AvailableMemoryTests() => _root = Path.Combine(_folder, "cgroup");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0::/a/b\n", 3000L)]
    [InlineData("0::/a/b/\n", 3000L)]
    [InlineData("0::/a\n", 3000L)]
    [InlineData("0::/a/b/c (deleted)", 3000L)]
    [InlineData("0::/\n", 9000L)]
    [InlineData("0::/c", 2000L)]
    [InlineData("0::/../../c", 9000L)]
    [InlineData("0::c", 9000L)]
    [InlineData("0::/nul\0", 9000L)]
    [InlineData("9:name=systemd:/\n4:memory:/x/y\n0::/\n", 700L)]
    [InlineData("4:cpu,memory:/x\n", 800L)]
    [InlineData("4:memoryless:/x\n", null)]
    [InlineData("0:cpu:/a\n", null)]
    [InlineData("", null)]
    [InlineData("\n:::\n0:\n::", null)]
    public void Limit_OfAGroup_IsTheLeastUpToTheRoot(string listing, long? expected)
    {
        Put("../memory.max", "5"); // of nobody
        Put("memory.max", "9000\n");
        Put("a/memory.max", "3000\n");
        Put("a/b/memory.max", "5000\n");
        Put("c/memory.max", "2000");
        Put("memory/memory.limit_in_bytes", "9223372036854771712\n");
        Put("memory/x/memory.limit_in_bytes", "800\n");
        Put("memory/x/y/memory.limit_in_bytes", "700\n");
        Assert.Equal(expected, AvailableMemory.Limit(listing, _root));
    }

    [Theory]
    [InlineData("max\n", null)]
    [InlineData("", null)]
    [InlineData("\n", null)]
    [InlineData("0\n", null)]
    [InlineData("-1\n", null)]
    [InlineData("+1", null)]
    [InlineData("1e9", null)]
    [InlineData("1 2", null)]
    [InlineData("0x10", null)]
    [InlineData("18446744073709551616", null)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData(" 4096 \n", 4096L)]
    public void Limit_OfAnyContent_IsANumberOrNone(string content, long? expected)
    {
        Put("memory.max", content);
        Assert.Equal(expected, AvailableMemory.Limit("0::/", _root));
        File.Delete(Path.Combine(_root, "memory.max"));
        Put("memory/memory.limit_in_bytes", content);
        Assert.Equal(expected, AvailableMemory.Limit("5:memory:/", _root));
    }

    [Fact]
    public void Limit_OfAFileWithoutEnd_IsNone()
    {
        Put("memory.max", new string('9', 1 << 20));
        Assert.Null(AvailableMemory.Limit("0::/", _root));
        File.Delete(Path.Combine(_root, "memory.max"));
        Directory.CreateDirectory(Path.Combine(_root, "memory.max"));
        Assert.Null(AvailableMemory.Limit("0::/", _root));
    }

    [Theory]
    [InlineData("MemTotal:       24684096 kB\nMemFree: 1 kB\n", 24684096L << 10)]
    [InlineData("MemFree: 1 kB\nMemTotal: 2 kB", 2048L)]
    [InlineData("MemTotal: max kB", null)]
    [InlineData("MemTotal: -5 kB", null)]
    [InlineData("MemTotal: 9223372036854775807 kB", null)]
    [InlineData("MemTotal: 5 MB", null)]
    [InlineData("MemTotal:", null)]
    [InlineData("", null)]
    public void MachineBytes_OfAListing_IsItsTotal(string listing, long? expected) => Assert.Equal(expected, AvailableMemory.MachineBytes(listing));

    [Theory]
    [InlineData(64 * Gigabyte, null, 64 * Gigabyte, 64 * Gigabyte)] // no container
    [InlineData(6 * Gigabyte, 8 * Gigabyte, 64 * Gigabyte, 8 * Gigabyte)] // the runtime's three quarters
    [InlineData(7L, 10L, 64L, 10L)] // rounded
    [InlineData(64 * Gigabyte, 8 * Gigabyte, 64 * Gigabyte, 8 * Gigabyte)] // a limit that it does not see
    [InlineData(8 * Gigabyte, 10 * Gigabyte, 8 * Gigabyte, 8 * Gigabyte)] // a limit beyond the machine
    [InlineData(8 * Gigabyte, long.MaxValue, 8 * Gigabyte, 8 * Gigabyte)]
    [InlineData(Gigabyte, 8 * Gigabyte, 64 * Gigabyte, Gigabyte)] // told to use less
    [InlineData(6 * Gigabyte, 8 * Gigabyte, null, 6 * Gigabyte)]
    public void Choose_OfThreeNumbers_IsTheOneThatHolds(long runtime, long? limit, long? machine, long expected) =>
        Assert.Equal(expected, AvailableMemory.Choose(runtime, limit, machine));

    [Fact]
    public void Bytes_OfThisProcess_AreSome() => Assert.InRange(AvailableMemory.Bytes, 1 << 20, long.MaxValue);

    private void Put(string name, string content)
    {
        var path = Path.Combine(_root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
