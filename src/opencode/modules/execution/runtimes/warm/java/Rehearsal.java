import java.util.*;
import java.util.function.*;
import java.util.stream.*;

/** What people write in an interview, a little of each; it is compiled so that a compiler is warm, and never run. */
public class Rehearsal<T extends Comparable<T>> {
    enum Colour { RED, GREEN }

    record Pair(int one, String other) {}

    interface Shape { double area(); }

    abstract static class Base implements Shape {
        protected int size;

        @Override
        public String toString() { return getClass().getSimpleName() + size; }
    }

    static class Square extends Base {
        Square(int size) { this.size = size; }

        public double area() { return size * size; }
    }

    private final Map<String, List<T>> all = new HashMap<>();
    static int[][] grid = {{1, 2}, {3}};

    int number(String word, Colour colour) {
        switch (word) {
            case "a": return 1;
            default: break;
        }
        return switch (colour) { case RED -> 1; case GREEN -> 2; };
    }

    public static void main(String[] args) throws Exception {
        List<Integer> list = new ArrayList<>();
        for (int number = 0; number < 10; number++) list.add(number);
        for (int one : list) if (one % 2 == 0 && one > 3 || one < 1) System.out.println(one + ": " + list.get(one)); else continue;
        System.out.println(list.stream().filter(one -> one > 2).map(one -> new Pair(one, "x" + one))
                .sorted(Comparator.comparing(Pair::one)).collect(Collectors.groupingBy(Pair::other)));
        Deque<int[]> queue = new ArrayDeque<>();
        PriorityQueue<int[]> heap = new PriorityQueue<>((one, other) -> one[0] - other[0]);
        StringBuilder words = new StringBuilder();
        while (!queue.isEmpty()) { int[] cell = queue.poll(); words.append(cell[0]).append(','); heap.add(cell); }
        try { int sum = Integer.parseInt("1"); sum += grid[0][1] << 2; }
        catch (NumberFormatException wrong) { throw new IllegalStateException(wrong); }
        finally { words.setLength(0); }
        Function<Integer, Supplier<Integer>> twice = number -> () -> number * 2;
        long four = twice.apply(2).get();
        Optional<Shape> shape = Optional.of(new Square(2));
        Scanner in = new Scanner(System.in);
        var sorted = new TreeMap<Integer, String>();
        sorted.merge(in.nextInt(), "a", String::concat);
        out: for (;;) { do { break out; } while (true); }
        char[] letters = "abc".toCharArray();
        Arrays.sort(letters);
        synchronized (sorted) { System.out.printf("%d %.2f%n", four, Math.sqrt(2.0)); }
        int chosen = letters.length > 2 ? (int) four : -1;
        assert chosen > 0;
        new Thread(new Runnable() { public void run() {} }).start();
        if (shape.get() instanceof Square square) System.out.println(square);
    }
}
