package $opencode;

import com.sun.tools.javac.Main;
import java.io.File;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Arrays;

/** The command `javac`, in a machine that has compiled before. */
public final class Compiler {
    private static final String TARGET = "/tmp/rehearsal";
    private static final int TIMES = 3; // by then the next one takes half of what it would take after one

    private Compiler() {}

    /** @param rehearsals what is compiled while nobody waits. */
    public static void main(String[] rehearsals) throws Exception {
        for (int time = 0; time < TIMES; time++) {
            for (String source : rehearsals) {
                String[] words = {"-proc:none", "-encoding", "UTF-8", "-d", TARGET, source};
                Main.compile(words, new PrintWriter(Writer.nullWriter()));
            }
        }
        remove(new File(TARGET));
        // Words for the machine itself come too late.
        String[] words = Arrays.stream(Line.hear()).filter(word -> !word.startsWith("-J")).toArray(String[]::new);
        System.exit(Main.compile(words));
    }

    private static void remove(File place) {
        File[] below = place.listFiles();
        if (below != null) {
            Arrays.stream(below).forEach(Compiler::remove);
        }
        place.delete();
    }
}
