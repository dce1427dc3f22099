import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;

/** What the example client puts on the wire, for test/e2e/java-client.test.ts: WireVectors KEY_FILE, then lines of a request each. */
class WireVectors {
  public static void main(String... args) throws Exception {
    var client = new TributaryClient(Path.of(args[0]));
    for (String line : Files.readAllLines(Path.of(args[1]))) {
      String[] given = line.split("\t", -1);
      System.out.println(switch (given[0]) {
        case "kid" -> client.kid;
        case "proof" -> client.proof(given[1], given[2], given[3].getBytes(StandardCharsets.UTF_8), given[4], Long.parseLong(given[5]));
        case "statement" -> client.jws("tributary-update+jwt", given[1]);
        case "update" -> Base64.getEncoder().encodeToString(TributaryClient.safetensors(given[1], floats(given[2])));
        default -> throw new IllegalArgumentException(line);
      });
    }
  }

  /** Little-endian float32 in base64. */
  private static float[] floats(String base64) {
    byte[] bytes = Base64.getDecoder().decode(base64);
    float[] values = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}
