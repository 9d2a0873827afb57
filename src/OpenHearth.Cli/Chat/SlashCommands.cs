using System.Globalization;

namespace OpenHearth.Cli.Chat;

/// <summary>What a chat understands besides messages: one table.</summary>
internal static class SlashCommands
{
    private sealed record Command(string Name, string Usage, string Summary, Action<ChatLoop, string> Execute);

    private static readonly Command[] Table =
    [
        new("/help", "/help", "this list, and the keys", (chat, _) => Help(chat)),
        new("/clear", "/clear", "forget what was said", Clear),
        new("/system", "/system [TEXT]", "show or set the system message; /system none takes it away", SetSystem),
        new("/set", "/set [NAME VALUE]", "show or change how answers are made", Set),
        new("/show", "/show [model|system|messages]", "what the model is, or what was said", Show),
        new("/save", "/save NAME", "keep this conversation", (chat, name) => chat.Say($"Saved as {chat.Saved.Save(name, chat.Model.Info.Name, chat.Conversation.Messages)}")),
        new("/load", "/load [NAME]", "go on with a conversation that was kept; without a name, list them", Load),
        new("/bye", "/bye", "leave", (_, _) => { }),
    ];

    private static readonly string[] Leaving = ["/bye", "/exit", "/quit"];

    /// <summary>Everything that Tab completes.</summary>
    public static IReadOnlyList<string> Completions { get; } =
        [.. Table.Select(command => command.Usage.Contains(' ', StringComparison.Ordinal) ? $"{command.Name} " : command.Name),
         .. Settings.All.Select(setting => $"/set {setting.Name} "), "/show model", "/show system", "/show messages"];

    /// <summary>Runs a line that begins with a slash; false to leave the chat.</summary>
    public static bool Run(ChatLoop chat, string line)
    {
        var space = line.IndexOfAny([' ', '\n']);
        var (name, argument) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].Trim());
        if (Leaving.Contains(name))
            return false;
        if (Array.Find(Table, command => command.Name == name) is { } command)
            command.Execute(chat, argument);
        else
            chat.Say($"There is no command {name}.{(Nearest.To(name, Table.Select(known => known.Name)) is { } nearest ? $" Did you mean {nearest}?" : "")} /help lists them.");
        return true;
    }

    private static void Help(ChatLoop chat)
    {
        foreach (var command in Table)
            chat.Say($"{command.Usage,-30} {command.Summary}");
        chat.Say("""
            Up, Down                       what you typed before
            Alt-Enter                      a new line in the message
            Ctrl-A, Ctrl-E, Ctrl-W, Ctrl-U start and end of the line, delete a word, delete to the start
            Ctrl-C                         stop the answer
            """);
    }

    private static void Clear(ChatLoop chat, string argument)
    {
        chat.Conversation.Clear();
        chat.Forget();
        chat.Say("Forgotten.");
    }

    private static void SetSystem(ChatLoop chat, string text)
    {
        if (text.Length > 0)
            chat.Conversation.System = text.Equals("none", StringComparison.OrdinalIgnoreCase) ? null : text;
        chat.Say(chat.Conversation.System is { } system ? $"System message: {system}" : "There is no system message.");
    }

    private static void Set(ChatLoop chat, string argument)
    {
        if (argument.Length == 0)
        {
            foreach (var setting in Settings.All)
                chat.Say($"{setting.Name,-16} {setting.Show(chat),-10} {setting.Summary}");
            return;
        }
        var parts = argument.Split([' ', '='], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var name = parts[0].Replace('-', '_').ToLowerInvariant();
        if (Settings.All.FirstOrDefault(setting => setting.Name == name) is { } found)
        {
            found.Change(chat, parts.Length > 1 ? parts[1] : null);
            chat.Say($"{found.Name} = {found.Show(chat)}");
        }
        else
        {
            chat.Say($"There is no setting {parts[0]}.{(Nearest.To(name, Settings.All.Select(setting => setting.Name)) is { } nearest ? $" Did you mean {nearest}?" : "")} /set lists them.");
        }
    }

    private static void Show(ChatLoop chat, string what)
    {
        switch (what)
        {
            case "" or "model":
                var info = chat.Model.Info;
                chat.Say(string.Create(CultureInfo.InvariantCulture, $"{info.Name}: {info.Architecture}, {info.Parameters / 1e6:F0} M parameters, made for {info.ContextLength} tokens of context, licence {info.License ?? "not named"}, {info.Path}"));
                break;
            case "system":
                SetSystem(chat, "");
                break;
            case "messages":
                foreach (var message in chat.Conversation.Messages)
                    chat.Say($"{message.Role}: {message.Content}");
                break;
            default:
                chat.Say("/show takes model, system or messages.");
                break;
        }
    }

    private static void Load(ChatLoop chat, string name)
    {
        if (name.Length == 0)
        {
            var names = chat.Saved.Names();
            chat.Say(names.Count > 0 ? $"Kept: {string.Join(", ", names)}" : "No conversation has been kept yet: /save NAME.");
            return;
        }
        var messages = chat.Saved.Load(name);
        chat.Conversation.System = null;
        chat.Conversation.Clear();
        chat.Forget();
        foreach (var message in messages)
            chat.Conversation.Add(message);
        chat.Say($"{messages.Count} messages of {name}.");
    }
}
