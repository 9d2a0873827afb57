using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Conversion;

/// <summary>The order of a matrix's rows that makes values neighbours which positions turn together, or parts neighbours.</summary>
internal sealed class RowOrder
{
    private readonly int _headWidth;
    private readonly int _offset;
    private readonly int _turning;

    private readonly bool _toNeighbours;

    private RowOrder(int headWidth, int offset, int turning, bool toNeighbours) => (_headWidth, _offset, _turning, _toNeighbours) = (headWidth, offset, turning, toNeighbours);

    /// <summary>The order for a rotation that pairs other values; null where rows can't make up for it.</summary>
    /// <param name="from">The rotation as the model is.</param>
    /// <param name="to">The rotation as it is to be.</param>
    /// <param name="matrix">Canonical name of the matrix whose rows are meant, without its ending.</param>
    public static RowOrder? Of(RopeOp from, RopeOp to, out string matrix)
    {
        matrix = "";
        var node = from.Inputs[0];
        // These treat all values alike.
        while (node is ClampOp or ScaleOp)
            node = node.Inputs[0];
        if (node is not LinearOp linear || !linear.Weight.Name.EndsWith(".weight", StringComparison.Ordinal) || linear.Weight.Matrix.Rows != from.Width)
            return null;
        matrix = linear.Weight.Name[..^".weight".Length];
        return new RowOrder(from.HeadWidth, from.Offset, from.Inputs[1].Width, to.Pairing == RotaryPairing.Neighbours);
    }

    /// <summary>The row of the model that belongs at a place.</summary>
    public long Source(long row)
    {
        var (head, place) = Math.DivRem(row, _headWidth);
        var turned = place - _offset;
        if (turned < 0 || turned >= _turning)
            return row;
        var half = _turning / 2;
        return (head * _headWidth) + _offset + (_toNeighbours ? (turned / 2) + (turned % 2 * half) : (turned % half * 2) + (turned / half));
    }
}
