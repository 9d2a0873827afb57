using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>
/// Writes one kernel: an assembler whose vector registers are handed out by name, so that a kernel that needs too many
/// fails when it is written, and constants that follow the code. The one argument, a pointer, arrives in rdi; rax, rcx,
/// rdx, rsi, rdi and r8 to r11 may be changed (System V calling convention), and so may all vector and mask registers.
/// </summary>
internal sealed class KernelBuilder
{
    private static readonly AssemblerRegisterZMM[] All =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    private readonly List<(string Name, AssemblerRegisterZMM Register)> _names = [];
    private readonly List<(Label Label, byte[] Bytes)> _constants = [];
    private readonly Stack<AssemblerRegisterZMM> _free = new(All.Reverse());

    /// <summary>The assembler.</summary>
    public Assembler Asm { get; } = new(64) { PreferVex = false }; // all 32 registers

    /// <summary>Vector registers that are not taken.</summary>
    public int Left => _free.Count;

    /// <summary>Takes a vector register.</summary>
    /// <exception cref="InvalidOperationException">All 32 are in use.</exception>
    public AssemblerRegisterZMM Vector(string name)
    {
        if (!_free.TryPop(out var register))
            throw new InvalidOperationException($"No register is left for {name}.");
        _names.Add((name, register));
        return register;
    }

    /// <summary>Takes several vector registers.</summary>
    public AssemblerRegisterZMM[] Vectors(string name, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Vector($"{name}{i}"))];

    /// <summary>Gives a vector register back.</summary>
    public void Free(params ReadOnlySpan<AssemblerRegisterZMM> registers)
    {
        foreach (var register in registers)
            _free.Push(register);
    }

    /// <summary>Takes a vector register and loads 64 bytes that do not change.</summary>
    public AssemblerRegisterZMM Constant(string name, ReadOnlySpan<byte> bytes)
    {
        var register = Vector(name);
        Asm.vmovdqu64(register, __zmmword_ptr[Data(bytes)]);
        return register;
    }

    /// <summary>Takes a vector register and fills it with one byte.</summary>
    public AssemblerRegisterZMM ConstantBytes(string name, byte value)
    {
        Span<byte> bytes = stackalloc byte[64];
        bytes.Fill(value);
        return Constant(name, bytes);
    }

    /// <summary>Takes a vector register and loads 64 bytes, the byte at i being f(i).</summary>
    public AssemblerRegisterZMM ConstantBytes(string name, Func<int, int> f)
    {
        Span<byte> bytes = stackalloc byte[64];
        for (var i = 0; i < 64; i++)
            bytes[i] = (byte)f(i);
        return Constant(name, bytes);
    }

    /// <summary>Takes a vector register and loads 32 words, word i being f(i).</summary>
    public AssemblerRegisterZMM ConstantWords(string name, Func<int, int> f) =>
        ConstantBytes(name, i => f(i / 2) >> (i % 2 * 8));

    /// <summary>Takes a vector register and loads 16 double words, number i being f(i).</summary>
    public AssemblerRegisterZMM ConstantDwords(string name, Func<int, int> f) =>
        ConstantBytes(name, i => f(i / 4) >> (i % 4 * 8));

    /// <summary>Takes a vector register and loads 8 quad words, number i being f(i).</summary>
    public AssemblerRegisterZMM ConstantQwords(string name, Func<int, long> f) =>
        ConstantBytes(name, i => (int)(f(i / 8) >> (i % 8 * 8)));

    /// <summary>The lower 256 bits of a register.</summary>
    public static AssemblerRegisterYMM Half(AssemblerRegisterZMM register) => new(Register.YMM0 + (register.Value - Register.ZMM0));

    /// <summary>The lower 128 bits of a register.</summary>
    public static AssemblerRegisterXMM Quarter(AssemblerRegisterZMM register) => new(Register.XMM0 + (register.Value - Register.ZMM0));

    /// <summary>Where a row lies, of rows a stride apart; x64 adds up to twice of it, so that every fourth needs a register.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="bases">Hold where rows 0, 4, 8 and so on are.</param>
    /// <param name="stride">Bytes from row to row.</param>
    /// <param name="stride3">Three times that.</param>
    public static AssemblerMemoryOperand Row(int row, AssemblerRegister64[] bases, AssemblerRegister64 stride, AssemblerRegister64 stride3) => (row % 4) switch
    {
        0 => bases[row / 4] + 0,
        1 => bases[row / 4] + stride,
        2 => bases[row / 4] + stride * 2,
        _ => bases[row / 4] + stride3,
    };

    /// <summary>Sums the 16 floats of a register into its lowest.</summary>
    public void SumLanes(AssemblerRegisterZMM total, AssemblerRegisterZMM free)
    {
        Asm.vextractf64x4(Half(free), total, 1);
        Asm.vaddps(Half(total), Half(total), Half(free));
        Asm.vextractf32x4(Quarter(free), Half(total), 1);
        Asm.vaddps(Quarter(total), Quarter(total), Quarter(free));
        Asm.vpermilpd(Quarter(free), Quarter(total), 1);
        Asm.vaddps(Quarter(total), Quarter(total), Quarter(free));
        Asm.vmovshdup(Quarter(free), Quarter(total));
        Asm.vaddss(Quarter(total), Quarter(total), Quarter(free));
    }

    /// <summary>Ends the kernel and makes it executable.</summary>
    public GeneratedKernel Build(string name)
    {
        Asm.vzeroupper();
        Asm.ret();
        foreach (var (label, bytes) in _constants)
        {
            var here = label;
            Asm.Label(ref here);
            Asm.db(bytes);
        }
        return GeneratedKernel.Write(name, Asm, _constants.Sum(constant => constant.Bytes.Length), _names);
    }

    /// <summary>Puts bytes, a multiple of 64, behind the code, on lines of the cache.</summary>
    public Label Data(ReadOnlySpan<byte> bytes)
    {
        var label = Asm.CreateLabel();
        _constants.Add((label, bytes.ToArray()));
        return label;
    }
}
