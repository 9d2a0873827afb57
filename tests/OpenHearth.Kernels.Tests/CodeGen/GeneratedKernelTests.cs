using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.Tests.CodeGen;

public sealed unsafe class GeneratedKernelTests
{
    [Fact]
    public void Build_WithConstants_ComputesWhatWasWritten()
    {
        Assert.SkipUnless(GeneratedKernels.Refusal is null, GeneratedKernels.Refusal ?? "");
        var builder = new KernelBuilder();
        builder.Asm.mov(rax, __[rdi]);
        builder.Asm.add(rax, 5);
        builder.Asm.mov(__[rdi], rax);
        var kernel = builder.Build("five more");
        var value = 37L;
        kernel.Run(&value);
        Assert.Equal(42, value);
        Assert.Contains("five more", kernel.Listing());
        Assert.Contains("add rax,5", kernel.Listing());
    }

    [Fact]
    public void Build_Sealed_IsExecutableAndNotWritable()
    {
        Assert.SkipUnless(GeneratedKernels.Refusal is null && OperatingSystem.IsLinux(), GeneratedKernels.Refusal ?? "Reads Linux's list of mappings.");
        var kernel = new KernelBuilder().Build("nothing");
        var address = (ulong)kernel.Code;
        var mapping = File.ReadLines("/proc/self/maps").Single(line =>
        {
            var ends = line.Split(' ')[0].Split('-');
            return Convert.ToUInt64(ends[0], 16) <= address && address < Convert.ToUInt64(ends[1], 16);
        });
        Assert.StartsWith("r-x", mapping.Split(' ')[1]);
    }

    [Fact]
    public void Vector_AThirtyThird_IsRefusedByName()
    {
        var builder = new KernelBuilder();
        builder.Vectors("all", 32);
        Assert.Contains("one more", Assert.Throws<InvalidOperationException>(() => builder.Vector("one more")).Message);
    }
}
