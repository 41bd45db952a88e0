namespace Dataflow.Sandbox.Launcher;

/// <summary>The root that container runtimes mount on: folders and links, and nothing in them.</summary>
internal static class ContainerRoot
{
    private static readonly string[] Folders = ["usr", "etc", "tmp", "proc", "sys", "dev", "job", "out"];
    private static readonly string[] Links = ["bin", "sbin", "lib", "lib64"];

    public static void Create()
    {
        string root = Path.Combine(WorkspacePaths.Bundle, "rootfs");
        foreach (string folder in Folders)
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
        }

        foreach (string link in Links.Where(link => Directory.Exists("/usr/" + link)))
        {
            File.CreateSymbolicLink(Path.Combine(root, link), "usr/" + link);
        }
    }
}
