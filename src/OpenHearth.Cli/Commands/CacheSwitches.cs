using System.CommandLine;
using OpenHearth.Engine;
using OpenHearth.Engine.KvCache;

namespace OpenHearth.Cli.Commands;

/// <summary>How a decoder keeps keys and values, as options of every command that loads one.</summary>
internal sealed class CacheSwitches
{
    private readonly Option<string?> _keys = Switch("--cache-type-k", "keys");
    private readonly Option<string?> _values = Switch("--cache-type-v", "values");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_keys);
        command.Add(_values);
    }

    /// <summary>The options of a model with what was given.</summary>
    public ModelOptions Over(ModelOptions options, Invocation run) => options with { CachedKeys = Type(run.Get(_keys)), CachedValues = Type(run.Get(_values)) };

    /// <summary>True where one of the options was given.</summary>
    public bool AreGiven(Invocation run) => run.Has(_keys) || run.Has(_values);

    private static CacheType? Type(string? name) => name is null ? null : CacheTypes.Find(name);

    private static Option<string?> Switch(string name, string what)
    {
        var option = new Option<string?>(name) { Description = $"How {what} are kept: {string.Join(", ", CacheTypes.Names)} (default: f16, with --exact f32).", HelpName = "TYPE" };
        option.AcceptOnlyFromAmong([.. CacheTypes.Names]);
        return option;
    }
}
