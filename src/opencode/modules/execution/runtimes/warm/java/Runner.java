package $opencode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Scanner;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Runs in a machine before its main class is looked for: an agent without an errand. The machine then goes on as it
 * always does, so that no frame of ours is below those of the program.
 */
public final class Runner {
    private Runner() {}

    public static void premain(String nothing) throws IOException {
        rehearse();
        Line.hear();
    }

    /** Use what most programs use, so that it is loaded. */
    private static int rehearse() {
        Map<String, List<Integer>> groups = new HashMap<>();
        for (int number = 0; number < 50; number++) {
            groups.computeIfAbsent("k" + number % 7, key -> new ArrayList<>()).add(number);
        }
        String words = groups.entrySet().stream()
                .filter(group -> group.getValue().size() > 1)
                .sorted(Map.Entry.comparingByKey())
                .map(group -> group.getKey() + "=" + group.getValue())
                .collect(Collectors.joining(", "));
        words += String.format("%d %s %.2f%n", 1, List.of('a'), 2.5) + new Pair(1, "b") + Arrays.toString(new int[] {3});
        Scanner scanner = new Scanner("1 2 three\nfour");
        int sum = scanner.nextInt() + scanner.nextInt() + scanner.next().length() + scanner.nextLine().length();
        PriorityQueue<int[]> queue = new PriorityQueue<>((one, other) -> one[0] - other[0]);
        queue.addAll(List.of(new int[] {2}, new int[] {1}));
        sum += queue.poll()[0] + new ArrayDeque<>(List.of(4)).pop() + new TreeMap<>(Map.of(1, 2)).firstKey();
        try {
            sum += Integer.parseInt("none");
        } catch (NumberFormatException expected) {
            sum += expected.getMessage().length();
        }
        return sum + (int) new BufferedReader(new StringReader(words)).lines().count();
    }

    private record Pair(int one, String other) {}
}
