using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// How generated code decodes a format to bf16 straight from its blocks. A format without one is taken apart by
/// <see cref="Packing.RowCodes.Unpack"/> first, which costs several times more.
/// </summary>
internal abstract unsafe class Bf16Code
{
    /// <summary>Columns of a step.</summary>
    public abstract int StepColumns { get; }

    /// <summary>Bytes of a step.</summary>
    public abstract int StepBytes { get; }

    /// <summary>Finds a row's scales and minimums ahead, where compiled code does that as well.</summary>
    /// <param name="row">Blocks of the row.</param>
    /// <param name="columns">Values in the row, whole blocks.</param>
    /// <param name="scales">[columns / group]</param>
    /// <param name="mins">[columns / group]</param>
    public virtual void Prepare(byte* row, int columns, float* scales, float* mins)
    {
    }

    /// <summary>Takes registers and loads what does not change from step to step; returns what writes a step.</summary>
    public abstract Action Write(Bf16RowWriter w);
}

/// <summary>Writes the decoding of rows of one format to bf16. Values are those of decoding to F32, rounded.</summary>
internal sealed class Bf16RowWriter
{
    private Bf16RowWriter()
    {
    }

    /// <summary>Registers and constants.</summary>
    public KernelBuilder Builder { get; } = new();

    /// <summary>The assembler.</summary>
    public Assembler Asm => Builder.Asm;

    /// <summary>The blocks of the step that is being written.</summary>
    public static AssemblerMemoryOperand Block => rsi + 0;

    /// <summary>A scale of the step.</summary>
    /// <param name="group">Its group, from 0.</param>
    public static AssemblerMemoryOperand Scale(int group) => r8 + sizeof(float) * group;

    /// <summary>A minimum of the step.</summary>
    /// <param name="group">Its group, from 0.</param>
    public static AssemblerMemoryOperand Min(int group) => r9 + sizeof(float) * group;

    /// <summary>Stores 32 values.</summary>
    /// <param name="low">The first 16; overwritten</param>
    /// <param name="high">The others.</param>
    /// <param name="column">Where they begin in the step.</param>
    public void Store(AssemblerRegisterZMM low, AssemblerRegisterZMM high, int column)
    {
        Asm.vcvtne2ps2bf16(low, high, low);
        Asm.vmovdqu64(__zmmword_ptr[rdx + sizeof(ushort) * column], low);
    }

    /// <summary>Writes a kernel, which reads <see cref="Bf16Rows.Arguments"/>.</summary>
    public static GeneratedKernel Write(string name, int group, Bf16Code code)
    {
        var writer = new Bf16RowWriter();
        var a = writer.Asm;
        a.mov(rsi, __[rdi]);
        a.mov(rdx, __[rdi + 8]);
        a.mov(rcx, __[rdi + 16]);
        a.mov(r8, __[rdi + 24]);
        a.mov(r9, __[rdi + 32]);
        var writeStep = code.Write(writer);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        writeStep();
        a.add(rsi, code.StepBytes);
        a.add(rdx, sizeof(ushort) * code.StepColumns);
        a.add(r8, sizeof(float) * code.StepColumns / group);
        a.add(r9, sizeof(float) * code.StepColumns / group);
        a.dec(rcx);
        a.jne(loop);
        return writer.Builder.Build($"{name} to bf16");
    }
}
