using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Writes the product of rows of one format with few tokens. Columns lie in lanes; a group's sum is taken twice with VNNI,
/// over the upper bytes of the activations and, after moving it up by eight bits, over the lower ones, and is then scaled
/// and added in F32. Several rows that lie far apart are read side by side: that keeps more of memory's lines on their way
/// than one stream can (measured: 15.0 instead of 12.1 GB/s on a core that reads 15.4).
/// </summary>
internal sealed class GemvWriter
{
    /// <summary>Most tokens of a kernel: activations of more do not stay in the first cache, and registers are left for two rows.</summary>
    public const int MostTokens = 4;

    /// <summary>For vpternlog: a | b &amp; c.</summary>
    public const byte OrAnd = 0xF8;

    /// <summary>For vpternlog: a &amp; b | c.</summary>
    public const byte AndOr = 0xEA;

    private const int PrefetchBytes = 1024;
    private const int MostStreams = 4;
    private const int ScratchBytes = 192; // of a stream
    private const int HalvesPlace = ScratchBytes - 16; // in it
    private const int AllScratchBytes = ScratchBytes * MostStreams;

    private readonly GemvCode _code;
    private readonly int _tokens;
    private readonly KernelBuilder _builder = new();
    private readonly int _together; // streams that load activations once
    private readonly AssemblerRegisterZMM[][] _sums; // [tokens or 1][together]
    private readonly AssemblerRegisterZMM _activations;
    private readonly AssemblerRegisterZMM[][]? _lowerSums; // [tokens or 1][together]
    private readonly AssemblerRegisterZMM[][] _totals; // [streams][tokens]
    private readonly List<(int Offset, int First, int Bytes, AssemblerRegisterK Mask)> _tailMasks = [];
    private AssemblerRegisterK? _bitMask;
    private Action _writeAhead = () => { };
    private int _masks;
    private int _stream;
    private int _registersOfRow;
    private bool _tail;
    private bool _open; // sums wait for more codes

    private GemvWriter(GemvCode code, int tokens, int together, bool split)
    {
        _code = code;
        _tokens = tokens;
        _together = together;
        // Sums of codes that come in pieces are kept until the last piece.
        var kept = code.InPieces ? tokens : 1;
        _sums = Sums("sum");
        _activations = _builder.Vector("activations, alone lower sum");
        _lowerSums = split || code.InPieces ? Sums("lower sum") : together == 1 ? [[_activations]] : null;
        _totals = [.. Enumerable.Range(0, StreamsFor(tokens)).Select(s => _builder.Vectors($"total{s}.", tokens))];

        AssemblerRegisterZMM[][] Sums(string name) => [.. Enumerable.Range(0, kept).Select(t => _builder.Vectors($"{name}{t}.", together))];
    }

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Weights; // of the first stream
        public fixed long WeightOffsets[MostStreams]; // bytes from the first stream's rows to each stream's
        public fixed long YOffsets[MostStreams]; // bytes from the first stream's results to each stream's
        public long Rows; // of each stream
        public long Steps; // whole ones
        public long TailBytes; // of an incomplete step behind them; 0 for none
        public byte* Planes; // see GemvPlanes
        public float* Y;
        public long YStride; // bytes from a token's results to the next one's
        public float* Scales; // [tokens]
    }

    /// <summary>Registers and constants.</summary>
    public KernelBuilder Builder => _builder;

    /// <summary>The assembler.</summary>
    public Assembler Asm => _builder.Asm;

    /// <summary>Writes a kernel.</summary>
    public static GeneratedKernel Write(string name, GemvCode code, int tokens)
    {
        var trial = new GemvWriter(code, tokens, together: 1, split: false);
        code.Write(trial);
        var together = StreamsFor(tokens);
        while (Left() < 0)
            together /= 2;
        // With one token too little is to be done meanwhile.
        var writer = new GemvWriter(code, tokens, together, split: tokens == 1 && Left() >= together);
        writer.WriteRows();
        return writer._builder.Build($"gemv {name} × {tokens} {(tokens == 1 ? "token" : "tokens")}");

        int Left() => trial._builder.Left - (together - 1) * (trial._registersOfRow + (code.InPieces ? 2 * tokens : 1));
    }

    /// <summary>Tokens of the kernel: one leaves registers for more constants.</summary>
    public int Tokens => _tokens;

    /// <summary>Which row is being written of those that are multiplied together.</summary>
    public int Row => _stream % _together;

    /// <summary>Whether what is being written is the step of an incomplete row end.</summary>
    public bool Tail => _tail;

    /// <summary>The blocks of the step that is being written.</summary>
    public AssemblerMemoryOperand Block => _stream switch
    {
        0 => rsi + 0,
        1 => rsi + r10,
        2 => rsi + rbx,
        _ => rsi + rbp,
    };

    /// <summary>Rows that a kernel reads side by side.</summary>
    public static int StreamsFor(int tokens) => tokens <= 2 ? MostStreams : 2;

    /// <summary>
    /// Spreads rows over streams. Where they are no multiple, streams overlap: a row is then computed twice, by the same
    /// thread and to the same result.
    /// </summary>
    public static unsafe void Spread(ref Arguments arguments, int rows, int rowBytes, int tokens)
    {
        var streams = StreamsFor(tokens);
        arguments.Rows = (rows + streams - 1) / streams;
        for (var s = 0; s < streams; s++)
        {
            var first = Math.Min(s * arguments.Rows, rows - arguments.Rows);
            arguments.WeightOffsets[s] = first * rowBytes;
            arguments.YOffsets[s] = first * sizeof(float);
        }
    }

    /// <summary>
    /// Memory for a step of a row, <see cref="ScratchBytes"/> on lines of the cache: a store across two of them would be read
    /// back late, and so would be words of the upper half of a store of 64 bytes.
    /// </summary>
    public AssemblerMemoryOperand Scratch(int offset) => rsp + (_stream * ScratchBytes + offset);

    /// <summary>
    /// Sets what is written for all rows in front of their steps: what takes long to come about and goes to
    /// <see cref="Scratch"/>. Where numbers of points go through memory that took a fifth to a third off a kernel.
    /// </summary>
    public void Ahead(Action write) => _writeAhead = write;

    /// <summary>
    /// Converts four F16 numbers of a row in front of its step; for formats without incomplete steps, or with one block of two in
    /// them. Filling a register from memory then takes no time of the units that compute.
    /// </summary>
    /// <param name="offset">Where the first is.</param>
    /// <param name="nextBlock">Bytes from a step's first block to the second; 0 where there is one.</param>
    /// <returns>Fills a register with one of them.</returns>
    public Action<AssemblerRegisterZMM, int> HalvesAhead(int offset, int nextBlock = 0)
    {
        var before = _writeAhead;
        _writeAhead = () =>
        {
            before();
            var four = KernelBuilder.Quarter(_activations);
            for (var block = 0; block < (nextBlock > 0 && !_tail ? 2 : 1); block++)
            {
                Asm.vcvtph2ps(four, __qword_ptr[Block + (offset + block * nextBlock)]);
                Asm.vmovaps(__xmmword_ptr[Scratch(HalvesPlace - 16 * block)], four);
            }
        };
        return (register, index) => Asm.vbroadcastss(register, __dword_ptr[Scratch(HalvesPlace + 4 * index)]);
    }

    /// <summary>One of the numbers of <see cref="HalvesAhead"/>, for all lanes of an instruction.</summary>
    public AssemblerMemoryOperand HalfAhead(int index, int block = 0) => __dword_bcst[Scratch(HalvesPlace - 16 * block + 4 * index)];

    /// <summary>Multiplies some lanes with the first block's first number of <see cref="HalvesAhead"/> and the others with the second block's; those are 0 where it does not exist.</summary>
    public void MultiplyHalvesAhead(AssemblerRegisterZMM register, AssemblerRegisterK first, AssemblerRegisterK second)
    {
        Asm.vmulps(_tail ? register.k(first).z : register.k(first), register, HalfAhead(0));
        if (!_tail)
            Asm.vmulps(register.k(second), register, HalfAhead(0, 1));
    }

    /// <summary>A mask register for the format's own use.</summary>
    public AssemblerRegisterK MaskRegister() => NextMask();

    /// <summary>A mask register with constant bits.</summary>
    public AssemblerRegisterK Mask(ulong bits)
    {
        var mask = NextMask();
        Asm.mov(rax, bits);
        Asm.kmovq(mask, rax);
        return mask;
    }

    /// <summary>Loads 64 bytes; of an incomplete step only those that exist, and zeros.</summary>
    public void Load(AssemblerRegisterZMM register, int offset)
    {
        if (_tail)
            Asm.vmovdqu8(register.k(TailMask(offset, 0, 64)).z, __zmmword_ptr[Block + offset]);
        else
            Asm.vmovdqu64(register, __zmmword_ptr[Block + offset]);
    }

    /// <summary>Loads 32 bytes into the lower half of a register and 32 others into the upper half.</summary>
    /// <param name="register">The register.</param>
    /// <param name="low">Where the bytes of the lower half are.</param>
    /// <param name="high">Where the bytes of the upper half are.</param>
    /// <param name="upper">A mask of the upper 32 bytes.</param>
    public void LoadHalves(AssemblerRegisterZMM register, int low, int high, AssemblerRegisterK upper)
    {
        if (_tail)
        {
            Asm.vmovdqu8(register.k(TailMask(low, 0, 32)).z, __zmmword_ptr[Block + low]);
            Asm.vmovdqu8(register.k(TailMask(high - 32, 32, 32)), __zmmword_ptr[Block + (high - 32)]);
        }
        else
        {
            Asm.vmovdqu64(KernelBuilder.Half(register), __ymmword_ptr[Block + low]);
            Asm.vmovdqu8(register.k(upper), __zmmword_ptr[Block + (high - 32)]);
        }
    }

    /// <summary>Fills a register with the F16 number at an offset; for formats without incomplete steps.</summary>
    public void BroadcastHalf(AssemblerRegisterZMM register, int offset)
    {
        Asm.vpbroadcastw(KernelBuilder.Half(register), __word_ptr[Block + offset]);
        Asm.vcvtph2ps(register, KernelBuilder.Half(register));
    }

    /// <summary>Adds a value to those bytes whose bit, of 64, is set.</summary>
    /// <param name="bits">Register that has the bits.</param>
    /// <param name="offset">Byte of the register where they begin; from 32 on it is slow, since such parts of a store are read back late.</param>
    /// <param name="codes">What is added to.</param>
    /// <param name="value">What is added.</param>
    public void AddBits(AssemblerRegisterZMM bits, int offset, AssemblerRegisterZMM codes, AssemblerRegisterZMM value)
    {
        _bitMask ??= NextMask();
        Asm.vmovdqa64(__zmmword_ptr[Scratch(0)], bits);
        Asm.kmovq(_bitMask.Value, __qword_ptr[Scratch(offset)]);
        Asm.vpaddb(codes.k(_bitMask.Value), codes, value);
    }

    /// <summary>The lower nibbles of bytes into one register, the upper ones in place.</summary>
    public void SplitNibbles(AssemblerRegisterZMM bytes, AssemblerRegisterZMM low, AssemblerRegisterZMM mask)
    {
        Asm.vpandd(low, bytes, mask);
        Asm.vpsrlw(bytes, bytes, 4);
        Asm.vpandd(bytes, bytes, mask);
    }

    /// <summary>A register of each row of those that are multiplied together.</summary>
    public GemvRegister Vector(string name)
    {
        _registersOfRow++;
        return new GemvRegister(this, _builder.Vectors($"{name}, row ", _together));
    }

    /// <summary>Several registers of each row.</summary>
    public GemvRegister[] Vectors(string name, int count) => [.. Enumerable.Range(0, count).Select(i => Vector($"{name}{i}"))];

    /// <summary>Adds scale · Σ codes · activations to every token's total. Codes that share their scales may come together.</summary>
    /// <param name="scale">Scale of each lane's four codes.</param>
    /// <param name="parts">Vectors of codes with their place in <see cref="GemvCode.Order"/>.</param>
    public static GemvProduct Multiply(AssemblerRegisterZMM scale, params (AssemblerRegisterZMM Codes, int Part)[] parts) => new(scale, parts);

    /// <summary>
    /// Adds Σ codes · activations to the sums that the next <see cref="Multiply"/> scales; for formats with
    /// <see cref="GemvCode.InPieces"/>.
    /// </summary>
    public static GemvProduct Add(AssemblerRegisterZMM codes, int part) => new(null, [(codes, part)]);

    /// <summary>Adds factors · sums of activations to every token's total.</summary>
    public static GemvProduct AddSums(AssemblerRegisterZMM factors) => new(factors, []);

    private void WriteSteps(Func<IEnumerable<GemvProduct>> writeStep)
    {
        for (var first = 0; first < _totals.Length; first += _together)
        {
            // Rows take turns up to each product, so that activations are loaded once for all of them.
            var rows = Enumerable.Range(first, _together).Select(_ => writeStep().GetEnumerator()).ToArray();
            while (true)
            {
                var written = 0;
                for (_stream = first; _stream < first + _together; _stream++)
                    written += rows[_stream - first].MoveNext() ? 1 : 0;
                if (written == 0)
                    break;
                GemvProduct[] products = [.. rows.Select(row => row.Current)];
                for (var t = 0; t < _tokens; t++)
                    WriteProduct(products, first, t);
                if (products[0].Parts.Length > 0)
                    _open = products[0].Scale is null;
            }
        }
    }

    private void WriteProduct(GemvProduct[] rows, int first, int token)
    {
        var a = Asm;
        var parts = rows[0].Parts.Length;
        if (parts == 0)
        {
            a.vmovups(_activations, Plane(token, GemvPlanes.SumsAt(_code)));
            for (var r = 0; r < rows.Length; r++)
                a.vfmadd231ps(_totals[first + r][token], rows[r].Scale!.Value, _activations);
            return;
        }
        var kept = _code.InPieces ? token : 0;
        var sums = _sums[kept];
        // Two short chains of sums are there sooner than a long one, but cost an addition unless one begins with an offset.
        var lowerSums = _code.InPieces || parts > 2 || parts == 2 && _code.Offset != 0 ? _lowerSums?[kept] : null;
        if (!_open)
            Begin(sums, lowerSums, Offsets());
        AddDots(rows, token, 0, sums);
        if (lowerSums is not null)
            AddDots(rows, token, 64, lowerSums);
        if (rows[0].Scale is null)
            return;
        foreach (var sum in sums)
            a.vpslld(sum, sum, 8);
        for (var r = 0; r < rows.Length; r++)
        {
            if (lowerSums is not null)
                a.vpaddd(sums[r], sums[r], lowerSums[r]);
            else if (_code.Offset != 0)
                a.vpaddd(sums[r], sums[r], Offsets());
        }
        if (lowerSums is null)
            AddDots(rows, token, 64, sums);
        foreach (var sum in sums)
            a.vcvtdq2ps(sum, sum);
        for (var r = 0; r < rows.Length; r++)
            a.vfmadd231ps(_totals[first + r][token], sums[r], rows[r].Scale!.Value);

        AssemblerMemoryOperand Offsets() => Plane(token, GemvPlanes.OffsetsAt(_code, rows[0].Parts[0].Part));
    }

    private void Begin(AssemblerRegisterZMM[] sums, AssemblerRegisterZMM[]? lowerSums, AssemblerMemoryOperand offsets)
    {
        foreach (var sum in sums)
            Clear(sum);
        foreach (var sum in lowerSums ?? [])
        {
            if (_code.Offset == 0)
                Clear(sum);
            else
                Asm.vmovdqa64(sum, offsets);
        }
    }

    private void AddDots(GemvProduct[] rows, int token, int plane, AssemblerRegisterZMM[] sums)
    {
        for (var i = 0; i < rows[0].Parts.Length; i++)
        {
            var activations = Plane(token, 128 * rows[0].Parts[i].Part + plane);
            if (rows.Length == 1)
            {
                Asm.vpdpbusd(sums[0], rows[0].Parts[i].Codes, activations);
                continue;
            }
            Asm.vmovdqa64(_activations, activations);
            for (var r = 0; r < rows.Length; r++)
                Asm.vpdpbusd(sums[r], rows[r].Parts[i].Codes, _activations);
        }
    }

    // rsp scratch and behind it the former rsp; rdi arguments; rsi weights, with r10, rbx and rbp the way to other streams; rdx activations, rcx results, r8 steps left,
    // r9 rows left; rax, r11, r12 free.
    private void WriteRows()
    {
        var a = Asm;
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.mov(rax, rsp);
        a.sub(rsp, AllScratchBytes + 64);
        a.and(rsp, -64);
        a.mov(__qword_ptr[rsp + AllScratchBytes], rax);
        a.mov(rsi, Argument(nameof(Arguments.Weights)));
        a.mov(r10, Argument(nameof(Arguments.WeightOffsets), 8));
        a.mov(rbx, Argument(nameof(Arguments.WeightOffsets), 16));
        a.mov(rbp, Argument(nameof(Arguments.WeightOffsets), 24));
        a.mov(r9, Argument(nameof(Arguments.Rows)));
        a.mov(rcx, Argument(nameof(Arguments.Y)));
        var writeStep = _code.Write(this);
        var (row, step, tail, done, masks) = (a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel(), a.CreateLabel());
        a.jmp(masks); // behind the loops it is known which masks they need

        a.Label(ref row);
        a.mov(rdx, Argument(nameof(Arguments.Planes)));
        a.mov(r8, Argument(nameof(Arguments.Steps)));
        foreach (var total in _totals.SelectMany(all => all))
            a.vpxord(total, total, total);
        a.test(r8, r8);
        a.je(tail);
        a.Label(ref step);
        for (_stream = 0; _stream < _totals.Length; _stream++)
        {
            for (var line = 0; line < _code.StepBytes; line += 64)
            {
                var ahead = __byte_ptr[Block + (PrefetchBytes + line)];
                if (_code.FetchesIntoSecondCache)
                    a.prefetcht1(ahead);
                else
                    a.prefetcht0(ahead);
            }
            _writeAhead();
        }
        WriteSteps(writeStep);
        a.add(rsi, _code.StepBytes);
        a.add(rdx, _tokens * GemvPlanes.TokenBytes(_code));
        a.dec(r8);
        a.jne(step);
        a.Label(ref tail);
        a.cmp(Argument(nameof(Arguments.TailBytes)), 0);
        a.je(done);
        _tail = true;
        for (_stream = 0; _stream < _totals.Length; _stream++)
            _writeAhead();
        WriteSteps(writeStep);
        a.add(rsi, Argument(nameof(Arguments.TailBytes)));
        a.Label(ref done);
        for (_stream = 0; _stream < _totals.Length; _stream++)
            WriteResults();
        a.add(rcx, 4);
        a.dec(r9);
        a.jne(row);
        a.mov(rsp, __qword_ptr[rsp + AllScratchBytes]);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
        a.vzeroupper();
        a.ret();

        a.Label(ref masks);
        foreach (var (offset, first, bytes, mask) in _tailMasks)
            WriteTailMask(offset, first, bytes, mask);
        a.jmp(row);
    }

    private void Clear(AssemblerRegisterZMM register) =>
        Asm.vpxor(KernelBuilder.Quarter(register), KernelBuilder.Quarter(register), KernelBuilder.Quarter(register)); // known to take no time

    private static AssemblerMemoryOperand Argument(string field, int offset = 0) =>
        __qword_ptr[rdi + ((int)Marshal.OffsetOf<Arguments>(field) + offset)];

    // The bits [first, first + bytes) of bytes that exist in an incomplete step, for a load at an offset.
    private void WriteTailMask(int offset, int first, int bytes, AssemblerRegisterK mask)
    {
        var a = Asm;
        a.mov(rax, Argument(nameof(Arguments.TailBytes)));
        a.sub(rax, offset);
        a.xor(r11d, r11d);
        a.cmp(rax, 0);
        a.cmovl(rax, r11);
        a.mov(r11, first + bytes);
        a.cmp(rax, r11);
        a.cmovg(rax, r11);
        a.mov(r11, -1);
        a.bzhi(rax, r11, rax);
        a.shr(rax, (byte)first);
        a.shl(rax, (byte)first);
        a.kmovq(mask, rax);
    }

    private void WriteResults()
    {
        var a = Asm;
        a.mov(rax, Argument(nameof(Arguments.Scales)));
        a.mov(r11, Argument(nameof(Arguments.YOffsets), 8 * _stream));
        a.add(r11, rcx);
        for (var t = 0; t < _tokens; t++)
        {
            var total = _totals[_stream][t];
            _builder.SumLanes(total, _activations);
            a.vmulss(KernelBuilder.Quarter(total), KernelBuilder.Quarter(total), __dword_ptr[rax + 4 * t]);
            a.vmovss(__dword_ptr[r11], KernelBuilder.Quarter(total));
            if (t + 1 < _tokens)
                a.add(r11, Argument(nameof(Arguments.YStride)));
        }
    }

    private AssemblerMemoryOperand Plane(int token, int offset) => __zmmword_ptr[rdx + token * GemvPlanes.TokenBytes(_code) + offset];

    private AssemblerRegisterK TailMask(int offset, int first, int bytes)
    {
        foreach (var known in _tailMasks)
        {
            if (known.Offset == offset && known.First == first && known.Bytes == bytes)
                return known.Mask;
        }
        var mask = NextMask();
        _tailMasks.Add((offset, first, bytes, mask));
        return mask;
    }

    private AssemblerRegisterK NextMask() =>
        ++_masks < 8 ? new AssemblerRegisterK(Register.K0 + _masks) : throw new InvalidOperationException("No mask register is left.");
}
