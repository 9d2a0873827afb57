using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that change the case of letters.</summary>
internal static class CaseMethods
{
    public static readonly Builtin[] All =
    [
        Case("upper", Casing.Upper),
        Case("lower", Casing.Lower),
        Case("casefold", static (r, text) => Casing.Lower(r, text).Replace("ß", "ss", StringComparison.Ordinal).Replace('ς', 'σ')),
        Case("capitalize", Casing.Capitalize),
        Case("title", Casing.Title),
        Case("swapcase", Casing.Swap),
    ];

    private static Builtin Case(string name, Func<Rendering, string, string> map) =>
        new(name, (r, value) => ((StringValue)value).With(map(r, ((StringValue)value).Text)));
}
