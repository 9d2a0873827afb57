using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Tests;

/// <summary>All tests (<c>x is name</c>) by name; each family has its file.</summary>
internal static class TestTable
{
    private static readonly Dictionary<string, Builtin> All = Builtin.Merge(TypeTests.All, ComparisonTests.All, NumberTests.All);

    public static Builtin? Find(string name) => All.GetValueOrDefault(name);
}
