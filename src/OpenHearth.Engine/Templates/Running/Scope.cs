using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>The variables that a block of the template sets; an inner block sees those of the outer ones.</summary>
internal sealed class Scope(Scope? parent)
{
    private const int SmallSize = 8;

    private (string Name, Value Value)[] _small = [];
    private Dictionary<string, Value>? _large;
    private int _count;

    /// <summary>True once a macro holds on to this scope, so that a loop may not use it again for its next turn.</summary>
    public bool IsCaptured { get; private set; }

    public Value? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.FindOwn(name) is { } value)
                return value;
        }
        return null;
    }

    public void Set(string name, Value value)
    {
        if (_large is not null)
        {
            _large[name] = value;
            return;
        }
        for (var i = 0; i < _count; i++)
        {
            if (_small[i].Name == name)
            {
                _small[i].Value = value;
                return;
            }
        }
        if (_count == SmallSize)
        {
            _large = [];
            foreach (var (key, old) in _small)
                _large[key] = old;
            _large[name] = value;
            return;
        }
        if (_count == _small.Length)
            Array.Resize(ref _small, _count == 0 ? 2 : SmallSize);
        _small[_count++] = (name, value);
    }

    public void Capture()
    {
        for (var scope = this; scope is { IsCaptured: false }; scope = scope.Parent)
            scope.IsCaptured = true;
    }

    /// <summary>An empty scope with the same parent: this one, unless a macro holds on to it.</summary>
    public Scope Renew()
    {
        if (IsCaptured)
            return new(Parent);
        _large = null;
        _count = 0;
        return this;
    }

    private Scope? Parent { get; } = parent;

    private Value? FindOwn(string name)
    {
        if (_large is not null)
            return _large.GetValueOrDefault(name);
        for (var i = 0; i < _count; i++)
        {
            if (_small[i].Name == name)
                return _small[i].Value;
        }
        return null;
    }
}
