using System.Runtime.InteropServices;

namespace OpenHearth.Cli;

/// <summary>Ctrl-C: the first asks what runs to stop, a second one before it has ends the process.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _source = new();
    private PosixSignalRegistration? _registration;

    /// <summary>Starts to listen to the signal; without it only <see cref="Raise"/> cancels.</summary>
    public void Listen() => _registration ??= PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = Raise());

    /// <summary>Cancelled by the next Ctrl-C.</summary>
    public CancellationToken Token
    {
        get
        {
            lock (_lock)
                return _source.Token;
        }
    }

    /// <summary>What has been stopped was an answer in a chat: the program goes on with a fresh token.</summary>
    public CancellationToken Renew()
    {
        lock (_lock)
        {
            if (_source.IsCancellationRequested)
            {
                _source.Dispose();
                _source = new CancellationTokenSource();
            }
            return _source.Token;
        }
    }

    /// <summary>Asks what runs to stop; false when it was asked before.</summary>
    public bool Raise()
    {
        lock (_lock)
        {
            if (_source.IsCancellationRequested)
                return false;
            _source.Cancel();
            return true;
        }
    }

    public void Dispose()
    {
        _registration?.Dispose();
        _source.Dispose();
    }
}
