using Iced.Intel;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>Codes of 32 columns in 16 bytes of each row: the first 16 columns in lower nibbles, the others in upper ones.</summary>
internal sealed class RowLaneNibbles(RowLaneWriter w)
{
    private readonly AssemblerRegisterZMM _mask = w.Builder.ConstantBytes("nibble mask", 15);
    private readonly AssemblerRegisterZMM[] _low = w.Builder.Vectors("lower codes ", 4);
    private readonly AssemblerRegisterZMM[] _high = w.Builder.Vectors("upper codes ", 4);

    /// <summary>Loads them.</summary>
    /// <param name="offset">Where they are in a block.</param>
    public void Load(int offset)
    {
        w.Load(_low, _high, offset);
        for (var k = 0; k < 4; k++)
        {
            w.Asm.vpsrlw(_high[k], _low[k], 4);
            w.Asm.vpandd(_low[k], _low[k], _mask);
            w.Asm.vpandd(_high[k], _high[k], _mask);
        }
    }

    /// <summary>Codes of columns 4k to 4k + 3.</summary>
    public AssemblerRegisterZMM Codes(int k) => k < 4 ? _low[k] : _high[k - 4];
}
