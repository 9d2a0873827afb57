using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Writes the product of 16 rows with a few tokens: blocks are read as they lie in the file and turned into lanes in
/// registers; sums of a group are the exact integers, taken over both planes of the activations as in
/// <see cref="Gemv.GemvWriter"/>. While a panel of 16 rows is multiplied, the next one is fetched, spread over the products:
/// 16 rows are too many streams for the processor to follow by itself.
/// </summary>
internal sealed class RowLaneWriter
{
    /// <summary>Rows of a panel.</summary>
    public const int Rows = 16;

    /// <summary>Most tokens of a kernel: two registers for each.</summary>
    public const int MostTokens = 8;

    private const int Fours = RowLaneActivations.Columns / 4;
    private const int LineBytes = 64;
    private const int Vector = 64;

    private static readonly AssemblerRegister64[] Bases = [rsi, r10, r11, rbx]; // of rows 0, 4, 8 and 12
    private static readonly AssemblerRegister64 Stride = r8, Stride3 = r9, Steps = rax, Activations = rdx, Next = rcx, Scratch = rsp;

    private readonly RowLaneCode _code;
    private readonly int _tokens;
    private readonly AssemblerRegisterZMM[] _products; // integer sums of a group
    private readonly AssemblerRegisterZMM[] _lower; // those of the lower plane, where more chains hide the latency of VNNI
    private readonly AssemblerRegisterZMM[] _sums;
    private int _scratchBytes;
    private int _slot; // between products, where fetching the next panel is spread
    private int _line; // of the next panel's step

    private RowLaneWriter(RowLaneCode code, int tokens)
    {
        (_code, _tokens) = (code, tokens);
        _products = Builder.Vectors("sum of group, token ", tokens);
        _lower = tokens <= MostTokens / 2 ? Builder.Vectors("sum of group, lower plane, token ", tokens) : [];
        _sums = Builder.Vectors("sum of token ", tokens);
    }

    /// <summary>Registers and constants.</summary>
    public KernelBuilder Builder { get; } = new();

    /// <summary>The assembler.</summary>
    public Assembler Asm => Builder.Asm;

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Weights; // the first of 16 rows
        public long Stride; // bytes from row to row
        public long Steps; // blocks of a row
        public byte* Activations; // see RowLaneActivations
        public float* Results; // [tokens][16], overwritten
        public byte* Next; // what is fetched meanwhile, as many bytes as 16 rows; need not exist
    }

    /// <summary>Writes a kernel.</summary>
    public static GeneratedKernel Write(string name, RowLaneCode code, int tokens)
    {
        var writer = new RowLaneWriter(code, tokens);
        writer.Write();
        return writer.Builder.Build($"{name} rows in lanes, {tokens} {(tokens == 1 ? "token" : "tokens")}");
    }

    /// <summary>Takes memory of the kernel's own.</summary>
    /// <param name="vectors">Of 64 bytes.</param>
    /// <returns>The first vector's place.</returns>
    public int Reserve(int vectors)
    {
        var place = _scratchBytes;
        _scratchBytes += vectors * Vector;
        return place;
    }

    /// <summary>A vector of the kernel's own memory.</summary>
    public static AssemblerMemoryOperand Own(int place, int vector = 0) => __[Scratch + (place + vector * Vector)];

    /// <summary>Loads 16 bytes of every row and turns them: the result k has bytes 4k to 4k + 3 of each row.</summary>
    /// <param name="result">Four registers.</param>
    /// <param name="free">Four more.</param>
    /// <param name="offset">Where the bytes are in a block.</param>
    public void Load(ReadOnlySpan<AssemblerRegisterZMM> result, ReadOnlySpan<AssemblerRegisterZMM> free, int offset)
    {
        for (var k = 0; k < 4; k++)
        {
            Asm.vmovdqu32(KernelBuilder.Quarter(result[k]), __xmmword_ptr[Row(k, offset)]);
            for (var quarter = 1; quarter < 4; quarter++)
                Asm.vinserti32x4(result[k], result[k], __xmmword_ptr[Row(4 * quarter + k, offset)], (byte)quarter);
        }
        Asm.vpunpckldq(free[0], result[0], result[1]);
        Asm.vpunpckhdq(free[1], result[0], result[1]);
        Asm.vpunpckldq(free[2], result[2], result[3]);
        Asm.vpunpckhdq(free[3], result[2], result[3]);
        Asm.vpunpcklqdq(result[0], free[0], free[2]);
        Asm.vpunpckhqdq(result[1], free[0], free[2]);
        Asm.vpunpcklqdq(result[2], free[1], free[3]);
        Asm.vpunpckhqdq(result[3], free[1], free[3]);
    }

    /// <summary>
    /// Copies some bytes of every row into memory of the kernel's own, where they lie side by side. They are there some
    /// tens of cycles later, so it is done first and read last.
    /// </summary>
    /// <param name="place">Where they go.</param>
    /// <param name="offset">Where they are in a block.</param>
    /// <param name="bytes">1, 2 or 4.</param>
    public void Gather(int place, int offset, int bytes)
    {
        for (var row = 0; row < Rows; row++)
        {
            var (from, to) = (Row(row, offset), Own(place) + bytes * row);
            switch (bytes)
            {
                case 1:
                    Asm.movzx(edi, __byte_ptr[from]);
                    Asm.mov(__byte_ptr[to], dil);
                    break;
                case 2:
                    Asm.movzx(edi, __word_ptr[from]);
                    Asm.mov(__word_ptr[to], di);
                    break;
                default:
                    Asm.mov(edi, __dword_ptr[from]);
                    Asm.mov(__dword_ptr[to], edi);
                    break;
            }
        }
    }

    /// <summary>Two numbers in half precision in each double word become F32.</summary>
    /// <param name="a">The assembler.</param>
    /// <param name="lower">Holds both, then the lower ones.</param>
    /// <param name="upper">The upper ones.</param>
    public static void Halves(Assembler a, AssemblerRegisterZMM lower, AssemblerRegisterZMM upper)
    {
        a.vpsrld(upper, lower, 16);
        a.vpmovdw(KernelBuilder.Half(upper), upper);
        a.vpmovdw(KernelBuilder.Half(lower), lower);
        a.vcvtph2ps(upper, KernelBuilder.Half(upper));
        a.vcvtph2ps(lower, KernelBuilder.Half(lower));
    }

    /// <summary>Multiplies a group of all rows with all tokens.</summary>
    /// <param name="group">Which of the block.</param>
    /// <param name="code">Gives the codes of four k of the group (columns 4k to 4k + 3 where the stride is 1); asked once or twice for each k.</param>
    /// <param name="scale">Scales of the rows, F32; need not be there before <paramref name="finish"/>.</param>
    /// <param name="min">Minimums of the rows where the format has them.</param>
    /// <param name="finish">Writes what makes scale and minimum.</param>
    public void Multiply(int group, Func<int, AssemblerRegisterZMM> code, AssemblerRegisterZMM scale, AssemblerRegisterZMM min, Action finish)
    {
        var (piece, inPiece) = Math.DivRem(group * _code.Group, RowLaneActivations.Columns);
        var first = piece * RowLaneActivations.Bytes(_tokens, _code);
        var lane = inPiece / _code.Group * _tokens * sizeof(int);
        var offsets = first + RowLaneActivations.OffsetsAt(_tokens) + lane;
        var place = first + inPiece / 4 * _tokens * 4;
        foreach (var product in _products)
            Asm.vpxord(product, product, product);
        if (_lower.Length > 0)
        {
            for (var t = 0; t < _tokens; t++)
                LoadOffset(_lower[t], offsets + 4 * t);
            Planes(place, code, (0, _products), (1, _lower));
            for (var t = 0; t < _tokens; t++)
            {
                Asm.vpslld(_products[t], _products[t], 8);
                Asm.vpaddd(_products[t], _products[t], _lower[t]);
            }
        }
        else
        {
            Planes(place, code, (0, _products));
            Shift(offsets);
            Planes(place, code, (1, _products));
        }
        finish();
        for (var t = 0; t < _tokens; t++)
        {
            Asm.vcvtdq2ps(_products[t], _products[t]);
            Asm.vfmadd231ps(_sums[t], _products[t], scale);
            if (_code.HasMins)
                Asm.vfmadd231ps(_sums[t], min, __dword_bcst[Activations + (first + RowLaneActivations.SumsAt(_tokens, _code) + lane + 4 * t)]);
        }
    }

    private void LoadOffset(AssemblerRegisterZMM sum, int offset)
    {
        if (_code.Offset == 0)
            Asm.vpxord(sum, sum, sum);
        else
            Asm.vpbroadcastd(sum, __dword_ptr[Activations + offset]);
    }

    private void Shift(int offsets)
    {
        for (var t = 0; t < _tokens; t++)
        {
            Asm.vpslld(_products[t], _products[t], 8);
            if (_code.Offset != 0)
                Asm.vpaddd(_products[t], _products[t], __dword_bcst[Activations + (offsets + 4 * t)]);
        }
    }

    private void Planes(int place, Func<int, AssemblerRegisterZMM> code, params ReadOnlySpan<(int Plane, AssemblerRegisterZMM[] Sums)> planes)
    {
        var lines = (Rows * _code.StepBytes + LineBytes - 1) / LineBytes;
        var slots = 2 * _code.StepColumns / 4;
        for (var four = 0; four < _code.Group / 4; four++)
        {
            for (_slot += planes.Length == 2 ? 2 : 1; _line < lines * _slot / slots; _line++)
                Asm.prefetcht1(__byte_ptr[Next + LineBytes * _line]);
            var codes = code(four);
            foreach (var (plane, sums) in planes)
            {
                for (var t = 0; t < _tokens; t++)
                    Asm.vpdpbusd(sums[t], codes, __dword_bcst[Activations + (place + ((plane * Fours + four) * _tokens + t) * 4)]);
            }
        }
    }

    private void Write()
    {
        var a = Asm;
        var writeStep = _code.Write(this);
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.mov(rbp, rsp);
        if (_scratchBytes > 0)
        {
            a.sub(rsp, _scratchBytes);
            a.and(rsp, -Vector);
        }
        a.mov(rsi, __[rdi]);
        a.mov(Stride, __[rdi + 8]);
        a.mov(Steps, __[rdi + 16]);
        a.mov(Activations, __[rdi + 24]);
        a.mov(r12, __[rdi + 32]);
        a.mov(Next, __[rdi + 40]);
        a.lea(Stride3, __[Stride + Stride * 2]);
        for (var i = 1; i < Bases.Length; i++)
            a.lea(Bases[i], __[Bases[i - 1] + Stride * 4]);
        foreach (var sum in _sums)
            a.vpxord(sum, sum, sum);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        writeStep();
        foreach (var row in Bases)
            a.add(row, _code.StepBytes);
        a.add(Activations, _code.StepColumns / RowLaneActivations.Columns * RowLaneActivations.Bytes(_tokens, _code));
        a.add(Next, Rows * _code.StepBytes);
        a.dec(Steps);
        a.jne(loop);
        for (var t = 0; t < _tokens; t++)
            a.vmovups(__zmmword_ptr[r12 + Vector * t], _sums[t]);
        a.mov(rsp, rbp);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
    }

    private static AssemblerMemoryOperand Row(int row, int offset) => KernelBuilder.Row(row, Bases, Stride, Stride3) + offset;
}
