using Iced.Intel;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>Codes of 32 columns in 16 bytes of each row: the first 16 columns in lower nibbles, the others in upper ones.</summary>
/// <param name="w">The kernel.</param>
/// <param name="code">The code of a nibble; null where it is the nibble.</param>
internal sealed class RowLaneNibbles(RowLaneWriter w, Func<int, int>? code = null)
{
    private readonly AssemblerRegisterZMM? _table = code is null ? null : w.Builder.ConstantBytes("codes of nibbles", i => code(i % 16));
    private readonly AssemblerRegisterZMM _mask = w.Builder.ConstantBytes("nibble mask", 15);
    private readonly AssemblerRegisterZMM[] _low = w.Builder.Vectors("lower codes ", 4);
    private readonly AssemblerRegisterZMM[] _high = w.Builder.Vectors("upper codes ", 4);

    /// <summary>Loads them.</summary>
    /// <param name="offset">Where they are in a block.</param>
    public void Load(int offset)
    {
        var a = w.Asm;
        w.Load(_low, _high, offset);
        for (var k = 0; k < 4; k++)
        {
            a.vpsrlw(_high[k], _low[k], 4);
            a.vpandd(_low[k], _low[k], _mask);
            a.vpandd(_high[k], _high[k], _mask);
            if (_table is not { } table)
                continue;
            a.vpshufb(_low[k], table, _low[k]);
            a.vpshufb(_high[k], table, _high[k]);
        }
    }

    /// <summary>Loads 16 bytes of each row that stand in front of the codes; the first four, and the next, are there until <see cref="Load"/>.</summary>
    public (AssemblerRegisterZMM First, AssemblerRegisterZMM Second) LoadHead()
    {
        w.Load(_low, _high, 0);
        return (_low[0], _low[1]);
    }

    /// <summary>Codes of columns 4k to 4k + 3.</summary>
    public AssemblerRegisterZMM Codes(int k) => k < 4 ? _low[k] : _high[k - 4];
}
