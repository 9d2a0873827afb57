using System.Text.Json;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Cli.Chat;

/// <summary>A conversation as it is kept.</summary>
internal sealed record SavedChat(string Model, IReadOnlyList<ChatTurn> Messages);

/// <summary>Conversations in a folder, one JSON file each.</summary>
internal sealed class SavedChats(string folder)
{
    private const string Extension = ".json";

    /// <summary>Names of what is kept.</summary>
    public IReadOnlyList<string> Names() => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, $"*{Extension}").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Writes a conversation, whole or not at all; returns its path.</summary>
    public string Save(string name, string model, IReadOnlyList<ChatTurn> messages)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(folder);
        var temporary = path + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(new SavedChat(model, messages), JsonDocuments.Readable.SavedChat));
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    /// <summary>Reads a conversation.</summary>
    /// <exception cref="Failure">There is none of that name, or its file is damaged.</exception>
    public IReadOnlyList<ChatTurn> Load(string name)
    {
        var path = PathOf(name);
        if (!File.Exists(path))
            throw Failure.NotFound($"No conversation {name} has been kept.{(Nearest.To(name, Names()) is { } nearest ? $" Did you mean {nearest}?" : "")}");
        try
        {
            var chat = JsonSerializer.Deserialize(File.ReadAllText(path), JsonDocuments.Readable.SavedChat);
            if (chat?.Messages is { } messages && messages.All(message => message is { Role.Length: > 0, Content: not null }))
                return messages;
        }
        catch (JsonException broken)
        {
            throw Failure.Because($"{path} is damaged: {broken.Message}", broken);
        }
        throw Failure.Because($"{path} holds no conversation.");
    }

    private string PathOf(string name) =>
        name.Length is > 0 and <= 100 && name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ' ') && !name.StartsWith('.')
            ? Path.Combine(folder, name + Extension)
            : throw Failure.Because("A name has letters, digits, spaces, '-', '_' and '.', at most 100.");
}
