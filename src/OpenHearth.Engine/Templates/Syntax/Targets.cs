using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>What a value is assigned to.</summary>
internal abstract class Target
{
    /// <summary>The names that an assignment sets.</summary>
    public abstract IEnumerable<string> Names { get; }

    public abstract void Assign(Frame frame, Value value);
}

internal sealed class NameTarget(string name) : Target
{
    public override IEnumerable<string> Names => [name];

    public override void Assign(Frame frame, Value value) => frame.Scope.Set(name, value);
}

internal sealed class MemberTarget(string name, string member) : Target
{
    public override IEnumerable<string> Names => [];

    public override void Assign(Frame frame, Value value)
    {
        var target = frame.Scope.Find(name) ?? frame.Rendering.Resolve(name);
        if (target is not NamespaceValue space)
            throw Errors.Type("cannot assign attribute on non-namespace object");
        frame.Budget.TakeItems(1);
        space.Set(member, value);
    }
}

internal sealed class TupleTarget(Target[] targets) : Target
{
    public override IEnumerable<string> Names => targets.SelectMany(static target => target.Names);

    public override void Assign(Frame frame, Value value)
    {
        var items = value.Iterate() ?? throw Errors.Type($"cannot unpack non-iterable {value.TypeName} object");
        var values = new List<Value>(targets.Length);
        while (frame.Rendering.Advance(items))
        {
            if (values.Count == targets.Length)
                throw Errors.Value($"too many values to unpack (expected {targets.Length})");
            values.Add(items.Current);
        }
        if (values.Count < targets.Length)
            throw Errors.Value($"not enough values to unpack (expected {targets.Length}, got {values.Count})");
        for (var i = 0; i < targets.Length; i++)
            targets[i].Assign(frame, values[i]);
    }
}
