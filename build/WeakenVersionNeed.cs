using System;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Marks one version need of an ELF64 library as weak (VER_FLG_WEAK), if the system's libstdc++ lacks that version.</summary>
public class WeakenVersionNeed : Task
{
    private const uint SectionVersionNeed = 0x6ffffffe;
    private const ushort Weak = 2;

    [Required]
    public string Library { get; set; }

    [Required]
    public string Version { get; set; }

    public override bool Execute()
    {
        string[] folders = { "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib" };
        string system = folders.Select(folder => Path.Combine(folder, "libstdc++.so.6")).FirstOrDefault(File.Exists);
        if (system == null || Contains(File.ReadAllBytes(system), Encoding.ASCII.GetBytes(Version + "\0")))
        {
            return true;
        }

        byte[] image = File.ReadAllBytes(Library);
        if (!Patch(image))
        {
            return true;
        }

        DateTime written = File.GetLastWriteTimeUtc(Library);
        string temporary = Library + ".weak";
        File.WriteAllBytes(temporary, image);
        File.SetLastWriteTimeUtc(temporary, written);
        File.Delete(Library);
        File.Move(temporary, Library);
        Log.LogMessage(MessageImportance.Normal, "{0}: {1} made weak, since {2} lacks it", Library, Version, system);
        return true;
    }

    /// <summary>True if something was changed.</summary>
    private bool Patch(byte[] image)
    {
        if (image.Length < 64 || image[0] != 0x7f || image[1] != 'E' || image[4] != 2)
        {
            return false;
        }

        long sections = BitConverter.ToInt64(image, 0x28);
        int size = BitConverter.ToUInt16(image, 0x3a);
        int count = BitConverter.ToUInt16(image, 0x3c);
        for (int i = 0; i < count; i++)
        {
            int header = (int)(sections + (long)i * size);
            if (BitConverter.ToUInt32(image, header + 4) == SectionVersionNeed)
            {
                int link = (int)(sections + (long)BitConverter.ToUInt32(image, header + 0x28) * size);
                return PatchNeeds(image, (int)BitConverter.ToInt64(image, header + 0x18), (int)BitConverter.ToInt64(image, link + 0x18));
            }
        }

        return false;
    }

    private bool PatchNeeds(byte[] image, int need, int strings)
    {
        while (true)
        {
            int auxiliary = need + (int)BitConverter.ToUInt32(image, need + 8);
            for (int left = BitConverter.ToUInt16(image, need + 2); left > 0; left--)
            {
                int name = strings + (int)BitConverter.ToUInt32(image, auxiliary + 8);
                if (NameIs(image, name) && (image[auxiliary + 4] & Weak) == 0)
                {
                    image[auxiliary + 4] |= (byte)Weak;
                    return true;
                }

                auxiliary += (int)BitConverter.ToUInt32(image, auxiliary + 12);
            }

            uint next = BitConverter.ToUInt32(image, need + 12);
            if (next == 0)
            {
                return false;
            }

            need += (int)next;
        }
    }

    private bool NameIs(byte[] image, int offset)
    {
        for (int i = 0; i < Version.Length; i++)
        {
            if (image[offset + i] != Version[i])
            {
                return false;
            }
        }

        return image[offset + Version.Length] == 0;
    }

    private static bool Contains(byte[] haystack, byte[] needle)
    {
        for (int i = 0; i + needle.Length <= haystack.Length; i++)
        {
            int j = 0;
            while (j < needle.Length && haystack[i + j] == needle[j])
            {
                j++;
            }

            if (j == needle.Length)
            {
                return true;
            }
        }

        return false;
    }
}
