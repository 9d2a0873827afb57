using System.Collections;
using System.Reflection;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Conversion;

/// <summary>
/// Compares the forward pass that a model declares in one form with the one that it would have in another: the proof that nothing of
/// it was lost on the way. What the numbers in matrices are is not compared, only their names and shapes.
/// </summary>
internal sealed class GraphDifference
{
    // Numbers go through F32 and, for rotary scaling, through a division and back.
    private const double Tolerance = 1e-5;

    // Files have gate and up of all experts in one matrix or two, keys and values of a latent space likewise.
    private static readonly (string Part, string Whole)[] Parts =
    [
        ("ffn_gate_exps", "ffn_gate_up_exps"), ("ffn_up_exps", "ffn_gate_up_exps"), ("attn_k_b", "attn_kv_b"), ("attn_v_b", "attn_kv_b"),
    ];

    private readonly List<(RopeOp From, RopeOp To)> _turns = [];

    private GraphDifference()
    {
    }

    /// <summary>Compares two graphs.</summary>
    /// <param name="from">As the model is.</param>
    /// <param name="to">As it would be.</param>
    /// <returns>What differs, in words; null for nothing. And the rotations that pair other values: rows must be put in their order.</returns>
    public static (string? Difference, IReadOnlyList<(RopeOp From, RopeOp To)> Turns) Of(ModelGraph from, ModelGraph to)
    {
        var difference = new GraphDifference();
        if (from.Nodes.Count != to.Nodes.Count)
        {
            var same = from.Nodes.Zip(to.Nodes).TakeWhile(pair => pair.First.GetType() == pair.Second.GetType()).Count();
            return ($"{from.Nodes.Count} steps become {to.Nodes.Count}, from step {same} on{(same < from.Nodes.Count ? $", {from.Nodes[same].GetType().Name}" : "")}", []);
        }
        for (var i = 0; i < from.Nodes.Count; i++)
        {
            if (difference.OfNodes(from.Nodes[i], to.Nodes[i]) is { } found)
                return ($"step {i}, {from.Nodes[i].GetType().Name}: {found}", []);
        }
        return (from.Output.Id == to.Output.Id && from.Kind == to.Kind ? null : "the result", difference._turns);
    }

    private string? OfNodes(Node from, Node to)
    {
        if (from.GetType() != to.GetType())
            return $"becomes {to.GetType().Name}";
        if (from.Width != to.Width || from.Rows != to.Rows)
            return $"width {from.Width} becomes {to.Width}";
        if (from is RopeOp turn && to is RopeOp other && turn.Pairing != other.Pairing)
            _turns.Add((turn, other));
        return Fields(from, to, 0);
    }

    private static string? Fields(object from, object to, int depth)
    {
        for (var type = from.GetType(); type is not null && type != typeof(object) && type != typeof(ValueType); type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                // Rows are put in another order for these.
                if ((field.FieldType == typeof(RotaryPairing) && from is RopeOp) || (from is LinearAttentionShape && Plain(field.Name) == nameof(LinearAttentionShape.Interleaved)))
                    continue;
                if (Values(field.GetValue(from), field.GetValue(to), depth + 1) is { } found)
                    return found.Length > 0 && char.IsDigit(found[0]) ? $"{Plain(field.Name)} {found}" : found;
            }
        }
        return null;
    }

    private static string? Values(object? from, object? to, int depth)
    {
        if (ReferenceEquals(from, to))
            return null;
        if (from is null || to is null || from.GetType() != to.GetType() || depth > 8)
            return $"{from ?? "nothing"} becomes {to ?? "nothing"}";
        return from switch
        {
            Node node => node.Id == ((Node)to).Id ? null : "another input",
            Weight weight => SameMatrix(weight, (Weight)to) ? null : $"{weight.Name} becomes {((Weight)to).Name}",
            float number => Near(number, (float)to) ? null : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number} becomes {to}"),
            double number => Near(number, (double)to) ? null : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number} becomes {to}"),
            string or Enum => from.Equals(to) ? null : $"{from} becomes {to}",
            _ when from.GetType().IsPrimitive => from.Equals(to) ? null : $"{from} becomes {to}",
            Array array => Lists(array, (Array)to, depth),
            _ when from.GetType().Namespace?.StartsWith("OpenHearth", StringComparison.Ordinal) == true => Fields(from, to, depth),
            IList list => Lists(list, (IList)to, depth),
            _ => $"{from.GetType().Name} can't be compared",
        };
    }

    private static string? Lists(IList from, IList to, int depth)
    {
        if (from.Count != to.Count)
            return $"{from.Count} values become {to.Count}";
        for (var i = 0; i < from.Count; i++)
        {
            if (Values(from[i], to[i], depth + 1) is { } found)
                return found;
        }
        return null;
    }

    private static bool SameMatrix(Weight from, Weight to) =>
        (from.Name == to.Name || IsPart(to.Name, from.Name)) && from.Matrix.Rows == to.Matrix.Rows && from.Matrix.Columns == to.Matrix.Columns && Near(from.Scale, to.Scale);

    private static bool IsPart(string part, string whole) => Array.Exists(Parts, names => whole != part && whole == part.Replace(names.Part, names.Whole, StringComparison.Ordinal));

    private static bool Near(double from, double to) => from.Equals(to) || Math.Abs(from - to) <= Tolerance * Math.Max(Math.Abs(from), Math.Abs(to));

    // The compiler's names for what a constructor captures, and for what a property keeps.
    private static string Plain(string field) => field.Trim('<', '_').Split('>')[0];
}
