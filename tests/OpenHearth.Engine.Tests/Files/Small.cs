using System.Text;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Files;

/// <summary>Small files with something of everything, to be truncated and mutated.</summary>
internal static class Small
{
    public static byte[] Gguf(int version = 3, bool bigEndian = false)
    {
        var writer = new GgufWriter(version, bigEndian);
        writer.Add("general.architecture", "llama");
        writer.Add("general.alignment.not", (byte)1);
        writer.Add("llama.block_count", 2u);
        writer.Add("llama.rope.freq_base", 10000f);
        writer.Add("flag", true);
        writer.Add("wide", -5L);
        writer.Add("tokens", new[] { "<s>", "a", "bé", "" });
        writer.Add("scores", new[] { 0f, -1f, 2f });
        writer.Add("types", new[] { 1, 2, 3 });
        writer.Add("nested", new[] { new short[] { 1, 2 }, [] });
        writer.AddTensor("token_embd.weight", TensorType.F32, [4, 3], stream => stream.Write(new byte[48]));
        writer.AddTensor("blk.0.attn_q.weight", TensorType.Q8_0, [32, 2], stream => stream.Write(new byte[68]));
        writer.AddTensor("blk.0.bits", TensorType.I2_S, [128], stream => stream.Write(new byte[64]));
        writer.AddTensor("blk.1.norm", TensorType.F16, [5], stream => stream.Write(new byte[10]));
        using var stream = new MemoryStream();
        writer.Write(stream, CancellationToken.None);
        // Without the padding after the last tensor, which a reader need not miss.
        return stream.ToArray()[..^22];
    }

    public static byte[] Safetensors()
    {
        var writer = new SafetensorsWriter();
        writer.Metadata["format"] = "pt";
        writer.Metadata["né\"w"] = "line\n";
        writer.AddTensor("model.embed_tokens.weight", TensorType.BF16, [3, 4], stream => stream.Write(new byte[24]));
        writer.AddTensor("model.layers.0.q.weight", TensorType.F32, [2, 2], stream => stream.Write(new byte[16]));
        writer.AddTensor("mask", TensorType.Bool, [5], stream => stream.Write(new byte[5]));
        writer.AddTensor("scalar", TensorType.I64, [], stream => stream.Write(new byte[8]));
        writer.AddTensor("empty", TensorType.F16, [0, 7], _ => { });
        using var stream = new MemoryStream();
        writer.Write(stream, CancellationToken.None);
        return stream.ToArray();
    }

    public static byte[] Index() => Encoding.UTF8.GetBytes("""
        {"metadata":{"total_size":123},"weight_map":{"a.weight":"model-00001-of-00002.safetensors","b\u00e9":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}
        """);

    public static byte[] Config() => Encoding.UTF8.GetBytes("""
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":64,"torch_dtype":"bfloat16","eos_token_id":[1,2],
        "max_position_embeddings":256,"time_step_limit":[0.0,Infinity],"tie":false,"none":null,
        "text_config":{"hidden_size":32,"rope_theta":1e6,"rope_scaling":{"rope_type":"yarn","factor":4.0,"long_factor":[1.0,2.5],"truncate":true}}}
        """);
}
