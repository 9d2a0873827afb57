using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Conversion;

/// <summary>The order of a matrix's rows that makes values neighbours which positions turn together.</summary>
internal sealed class RowOrder
{
    private readonly int _headWidth;
    private readonly int _offset;
    private readonly int _turning;

    private RowOrder(int headWidth, int offset, int turning) => (_headWidth, _offset, _turning) = (headWidth, offset, turning);

    /// <summary>The order for a rotation that pairs halves where the other one pairs neighbours; null where rows can't make up for it.</summary>
    /// <param name="from">The rotation as the model is.</param>
    /// <param name="to">The rotation as it is to be.</param>
    /// <param name="matrix">Canonical name of the matrix whose rows are meant, without its ending.</param>
    public static RowOrder? Of(RopeOp from, RopeOp to, out string matrix)
    {
        matrix = "";
        if (from.Pairing != RotaryPairing.Halves || to.Pairing != RotaryPairing.Neighbours)
            return null;
        var node = from.Inputs[0];
        // These treat all values alike.
        while (node is ClampOp or ScaleOp)
            node = node.Inputs[0];
        if (node is not LinearOp linear || !linear.Weight.Name.EndsWith(".weight", StringComparison.Ordinal) || linear.Weight.Matrix.Rows != from.Width)
            return null;
        matrix = linear.Weight.Name[..^".weight".Length];
        return new RowOrder(from.HeadWidth, from.Offset, from.Inputs[1].Width);
    }

    /// <summary>The row of the model that belongs at a place.</summary>
    public long Source(long row)
    {
        var (head, place) = Math.DivRem(row, _headWidth);
        var turned = place - _offset;
        if (turned < 0 || turned >= _turning)
            return row;
        return (head * _headWidth) + _offset + (turned / 2) + (turned % 2 * (_turning / 2));
    }
}
