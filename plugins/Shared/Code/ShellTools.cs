namespace Dataflow.Plugins.Code;

/// <summary>The tools that a shell script may call: those of POSIX and of GNU, and few others. Interpreters of other languages are not among them; awk, sed, bc, dc and jq are.</summary>
internal static class ShellTools
{
    private const string Names = """
        [ arch awk b2sum base32 base64 basename basenc bash bc bunzip2 bzcat bzip2 cal cat chgrp chmod chown cksum clear cmp col
        colrm column comm cp csplit cut dash date dc dd df diff diff3 dir dircolors dirname du echo ed egrep env expand expr
        factor false fgrep file find flock fmt fold gawk getopt grep groups gunzip gzip head hexdump hostid hostname iconv id
        install jq join kill less link ln locale logname look ls mawk md5sum mkdir mkfifo mknod mktemp more mv nice nl nohup
        nproc numfmt od paste patch pathchk pgrep pinky pkill pr printenv printf ps ptx pwd readlink realpath rev rm rmdir
        script sdiff sed seq setsid sh sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf
        strings stty sum sync tac tail tar tee test time timeout top touch tput tr true truncate tsort tty uname unexpand uniq
        unlink unxz uptime users uuidgen vdir wait wc whereis which who whoami xargs xxd xz xzcat yes zcat zdiff zgrep
        """;

    /// <summary>Those of them that are here.</summary>
    public static IEnumerable<string> Installed() => Names.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(name => "/usr/bin/" + name).Where(File.Exists);
}
