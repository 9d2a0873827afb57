using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that fill in values.</summary>
internal static class FormatMethods
{
    public static readonly Builtin[] All =
    [
        new("format", static (r, a) => BraceFormat.Format(r, (StringValue)a.Positional[0], a.Skip(1))),
        new("format_map", 2, ["text", "mapping"], static (r, a) => BraceFormat.Format(r, (StringValue)a[0]!, Arguments.None, a[1] as DictValue
            ?? throw Errors.Type($"'{a[1]!.TypeName}' object is not subscriptable"))),
        new("translate", 2, ["text", "table"], static (r, a) => Translate(r, (StringValue)a[0]!, a[1]!)),
    ];

    private static StringValue Translate(Rendering rendering, StringValue text, Value table)
    {
        if (table is not DictValue map)
            throw Errors.Type($"'{table.TypeName}' object is not subscriptable");
        var sink = new TextSink(rendering.Budget);
        foreach (var rune in text.Text.EnumerateRunes())
        {
            rendering.Budget.Step();
            switch (map.Find(IntegerValue.Of(rune.Value)))
            {
                case null: sink.Append(rune.ToString()); break;
                case NoneValue: break;
                case StringValue replacement: sink.Append(replacement.Text); break;
                case IntegerValue code when code.Value.Sign >= 0 && code.Value < 0x110000 && System.Text.Rune.IsValid((int)code.Value):
                    sink.Append(char.ConvertFromUtf32((int)code.Value));
                    break;
                default: throw Errors.Type("character mapping must return integer, None or str");
            }
        }
        return text.With(sink.Take());
    }
}
