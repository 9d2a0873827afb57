using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>A trained model of 834 thousand weights that reads bytes, from the tests of rwkv.cpp, with the logits after three of them.</summary>
public sealed class Rwkv7Tests
{
    private static readonly int[] Prompt = ['"', 'i', 'n'];
    private static readonly string[] Inputs = ["r", "w", "k", "v", "a", "g"];

    [Theory]
    [InlineData("tiny-rwkv-7v0-834K-FP32.bin", 1e-4)]
    [InlineData("tiny-rwkv-7v0-834K-Q5_1.bin", 0.02)]
    public void Logits_AfterThePrompt_AreTheReference(string file, double tolerance)
    {
        using var model = Load(file);
        using var session = model.CreateSession();
        var error = LogitComparison.Error(Expected(), session.Step(Prompt).ToArray());
        Assert.True(error <= tolerance, $"error {error:E1} of the standard deviation");
    }

    [Fact]
    public void Logits_InPieces_AreThoseOfTheWhole()
    {
        using var model = Load("tiny-rwkv-7v0-834K-FP32.bin");
        using Session whole = model.CreateSession(), pieces = model.CreateSession();
        int[] text = [.. "\"in the beginning\", he said, and went on".Select(letter => (int)letter)];
        var expected = whole.Step(text).ToArray();
        pieces.Step(text.AsSpan(0, 1));
        pieces.Step(text.AsSpan(1, 12));
        pieces.Step(text);
        pieces.Truncate(13);
        Assert.True(LogitComparison.Error(expected, pieces.Step(text.AsSpan(13)).ToArray()) <= 1e-5);
        Assert.Empty(model.UnusedTensors);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Logits_OfFlashLinearAttentionsForm_AreTheReference(bool old)
    {
        var model = Rewrite();
        for (var layer = 0; old && layer < (int)model.Config["num_hidden_layers"]!; layer++)
        {
            var shares = Inputs.Select(input => model.Remove($"model.layers.{layer}.attn.x_{input}").Values).ToArray();
            model.Set($"model.layers.{layer}.attn.x_x", [.. shares.SelectMany(share => share)], shares.Length, shares[0].Length);
        }
        var logits = model.RunSafetensors(Prompt);
        var error = LogitComparison.Error(Expected(), logits.AsSpan(logits.Length - 256).ToArray());
        Assert.True(error <= 1e-4, $"error {error:E1} of the standard deviation");
    }

    [Fact]
    public void Load_WithAnotherActivation_Refuses()
    {
        var model = Rewrite();
        model.Config["hidden_act"] = "gelu";
        Assert.Contains("'hidden_act' can't be 'gelu'", Assert.Throws<ModelFormatException>(() => model.RunSafetensors(Prompt)).Message, StringComparison.Ordinal);
    }

    /// <summary>The same model with the names, shapes and keys of flash-linear-attention, whose converter from BlinkDL's form tells which is which.</summary>
    internal static EditableModel Rewrite()
    {
        using var source = ModelSource.Open(Fixtures.Path("models", "tiny_rwkv", "tiny-rwkv-7v0-834K-FP32.bin"));
        var model = new EditableModel();
        foreach (var name in source.TensorNames.Where(name => !name.StartsWith("blocks.0.att.v", StringComparison.Ordinal) || name == "blocks.0.att.value.weight"))
        {
            var tensor = source.Find(name)!;
            var values = MemoryMarshal.Cast<byte, float>(tensor.Data.Span(0, (int)tensor.Data.Length)).ToArray();
            if (name.EndsWith("x_rwkvag", StringComparison.Ordinal))
            {
                var width = values.Length / Inputs.Length;
                for (var i = 0; i < Inputs.Length; i++)
                    model.Set($"{Rename(name)[..^"rwkvag".Length]}{Inputs[i]}", values[(i * width)..((i + 1) * width)], 1, 1, width);
            }
            else
                model.Set(Rename(name), values, name.EndsWith("r_k", StringComparison.Ordinal) || Regex.IsMatch(name, @"[wvag][12]$|(key|value|receptance|output|emb|head)\.weight$") ? tensor.Shape : [values.Length]);
        }
        foreach (var (key, value) in new[] { ("hidden_size", 64), ("num_hidden_layers", (int)source.FindLayers()!), ("head_dim", (int)source.Find("blocks.0.att.r_k")!.Columns), ("vocab_size", 256), ("v_low_rank_dim", 32) })
            model.Config[key] = value;
        model.Config["model_type"] = "rwkv7";
        model.Config["architectures"] = new JsonArray("RWKV7ForCausalLM");
        model.Config["norm_eps"] = 1e-5;
        model.Config["hidden_act"] = "sqrelu";
        model.Config["hidden_ratio"] = source.Find("blocks.0.ffn.key.weight")!.RowCount / 64.0;
        model.Config["intermediate_size"] = source.Find("blocks.0.ffn.key.weight")!.RowCount;
        return model;
    }

    private static string Rename(string name)
    {
        foreach (var (from, to) in ((string, string)[])
            [
                (@"^emb\.", "model.embeddings."), (@"^ln_out\.", "model.norm."), (@"^head\.", "lm_head."), (@"^blocks\.", "model.layers."), (@"\.ln0\.", ".pre_norm."), (@"\.ln1\.", ".attn_norm."),
                (@"\.ln2\.", ".ffn_norm."), (@"\.att\.", ".attn."), (@"attn\.receptance", "attn.r_proj"), (@"attn\.key", "attn.k_proj"), (@"attn\.value", "attn.v_proj"), (@"attn\.ln_x", "attn.g_norm"),
                (@"attn\.output", "attn.o_proj"), (@"attn\.([wvag])0$", "attn.$1_lora.lora.2.bias"), (@"attn\.([wvag])1$", "attn.$1_lora.lora.0.weight"), (@"attn\.([wvag])2$", "attn.$1_lora.lora.2.weight"),
            ])
            name = Regex.Replace(name, from, to);
        return name;
    }

    private static Model Load(string file) => Model.Load(Fixtures.Path("models/tiny_rwkv/" + file), new ModelOptions { Exact = true, Threads = 2 });

    private static float[] Expected() =>
        MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Fixtures.Path("models/tiny_rwkv/expected-logits-7v0-834K.bin"))).ToArray();
}
