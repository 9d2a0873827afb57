using Microsoft.Extensions.AI;
using OpenHearth.Engine;
using OpenHearth.Engine.Generation;

// Outside of OpenHearth, as a reader's program is.
namespace Readme;

/// <summary>The README's sample: the usings above and the lines between the marks, word for word.</summary>
internal static class Sample
{
    public static async Task RunAsync()
    {
        // sample begins
        using var model = Model.Load("models/SmolLM2-135M-Instruct.Q4_1.gguf");
        using var client = new HearthChatClient(model);

        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 100 };
        await foreach (var update in client.GetStreamingResponseAsync("Why is the sky blue?", options))
            Console.Write(update);
        // sample ends
    }
}
