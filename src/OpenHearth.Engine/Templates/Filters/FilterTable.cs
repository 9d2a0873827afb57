using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Filters;

/// <summary>All filters by name; each family has its file.</summary>
internal static class FilterTable
{
    private static readonly Dictionary<string, Builtin> All = Builtin.Merge(
        TextFilters.All, SequenceFilters.All, SelectionFilters.All, AggregateFilters.All, NumberFilters.All, HtmlFilters.All, LayoutFilters.All);

    public static Builtin? Find(string name) => All.GetValueOrDefault(name);
}
