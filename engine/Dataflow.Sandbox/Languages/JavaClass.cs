using System.Buffers.Binary;
using System.Text;

namespace Dataflow.Sandbox.Languages;

/// <summary>What a compiled Java class says of itself, as far as it tells which one a program begins with.</summary>
/// <param name="IsNested">Whether it stands in another class, where nobody starts a program.</param>
/// <param name="Starts">How well its main method is one to begin with: 0 if it has none, more for the usual form.</param>
/// <param name="Line">Line of that method in the source.</param>
internal sealed record JavaClass(bool IsNested, int Starts, int Line)
{
    private const int PublicAndStatic = 0x0009;

    /// <summary>Name of the class to run; null if none has a main method.</summary>
    /// <param name="preferred">The class that the file is named after.</param>
    public static string? ToRun(IReadOnlyDictionary<string, SandboxFile> files, string preferred) => files
        .Where(file => file.Key.EndsWith(".class", StringComparison.Ordinal))
        .Select(file => (Name: file.Key[..^".class".Length].Replace('/', '.'), Class: Read(file.Value.Content)))
        .Where(each => each.Class is { IsNested: false, Starts: > 0 })
        .OrderByDescending(each => each.Class.Starts).ThenByDescending(each => each.Name == preferred).ThenBy(each => each.Class.Line).ThenBy(each => each.Name, StringComparer.Ordinal)
        .Select(each => each.Name).FirstOrDefault();

    public static JavaClass Read(byte[] content)
    {
        var reader = new Reader(content);
        reader.Skip(8);
        string[] texts = Constants(reader);
        reader.Skip(6);
        reader.Skip(2 * reader.Two());
        foreach (int _ in Enumerable.Range(0, reader.Two()))
        {
            reader.Skip(6);
            Attributes(reader, texts);
        }

        (int starts, int line) = (0, 0);
        foreach (int _ in Enumerable.Range(0, reader.Two()))
        {
            int flags = reader.Two();
            int form = Form(flags, texts[reader.Two()], texts[reader.Two()]);
            int first = Attributes(reader, texts).FirstLine;
            (starts, line) = form > starts ? (form, first) : (starts, line);
        }

        return new JavaClass(Attributes(reader, texts).Nested, starts, line);
    }

    // Later versions of Java start methods that are not static, or take nothing, too; its launcher says if this one does not.
    private static int Form(int flags, string name, string type) => (name, type) switch
    {
        ("main", "([Ljava/lang/String;)V") => (flags & PublicAndStatic) == PublicAndStatic ? 3 : 2,
        ("main", "()V") => 1,
        _ => 0,
    };

    // The texts of the constant pool by their index; the other constants are passed over by their sizes.
    private static string[] Constants(Reader reader)
    {
        string[] texts = new string[reader.Two()];
        for (int i = 1; i < texts.Length; i++)
        {
            int tag = reader.One();
            switch (tag)
            {
                case 1:
                    texts[i] = reader.Text(reader.Two());
                    break;
                case 5 or 6:
                    reader.Skip(8);
                    i++;
                    break;
                default:
                    reader.Skip(tag is 7 or 8 or 16 or 19 or 20 ? 2 : tag == 15 ? 3 : 4);
                    break;
            }
        }

        return texts;
    }

    private static (bool Nested, int FirstLine) Attributes(Reader reader, string[] texts)
    {
        (bool nested, int line) = (false, 0);
        foreach (int _ in Enumerable.Range(0, reader.Two()))
        {
            string name = texts[reader.Two()];
            int end = reader.Four() + reader.At;
            nested |= name == "NestHost";
            switch (name)
            {
                case "Code":
                    reader.Skip(4);
                    reader.Skip(reader.Four());
                    reader.Skip(8 * reader.Two());
                    line = Attributes(reader, texts).FirstLine;
                    break;
                case "LineNumberTable" when reader.Two() > 0:
                    reader.Skip(2);
                    line = reader.Two();
                    break;
            }

            reader.Skip(end - reader.At);
        }

        return (nested, line);
    }

    private sealed class Reader(byte[] content)
    {
        public int At { get; private set; }

        public void Skip(int bytes) => At += bytes;

        public int One() => content[At++];

        public int Two() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

        public int Four() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

        public string Text(int bytes) => Encoding.UTF8.GetString(Take(bytes));

        private ReadOnlySpan<byte> Take(int bytes)
        {
            At += bytes;
            return content.AsSpan(At - bytes, bytes);
        }
    }
}
