package $opencode;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** How a machine that is up hears what to do. */
final class Line {
    private Line() {}

    /** Say that we are up, and wait for the words. */
    static String[] hear() throws IOException {
        // Java has no name for a descriptor; /proc has. Both are of no use to anybody afterwards: their other ends close.
        try (FileOutputStream told = new FileOutputStream("/proc/self/fd/4")) {
            told.write('.');
        }
        try (FileInputStream heard = new FileInputStream("/proc/self/fd/3")) {
            StringBuilder line = new StringBuilder();
            for (int next = heard.read(); next != '\n'; next = heard.read()) {
                if (next < 0) {
                    Runtime.getRuntime().halt(127); // the server is gone
                }
                line.append((char) next);
            }
            return words(line.toString());
        }
    }

    /** Each word ends with a space, and is written in Base64. */
    private static String[] words(String line) {
        String[] found = line.isEmpty() ? new String[0] : line.substring(0, line.length() - 1).split(" ", -1);
        for (int place = 0; place < found.length; place++) {
            found[place] = new String(Base64.getDecoder().decode(found[place]), StandardCharsets.UTF_8);
        }
        return found;
    }
}
