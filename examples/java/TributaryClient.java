import static java.nio.charset.StandardCharsets.UTF_8;
import java.net.URI;
import java.net.http.*;
import java.nio.*;
import java.nio.file.*;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.*;
import java.util.*;
import java.util.stream.*;

/** A Tributary client in one file, with nothing but JDK 17: docs/write-a-client.md goes through it step by step. */
class TributaryClient {
  static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  final String endpoint, name, publicKey, kid;
  final PrivateKey privateKey;

  /** @param file written alike by every client: {endpoint, client, privateKey: an RFC 8037 JWK} */
  TributaryClient(Path file) throws Exception {
    String content = Files.readString(file);
    endpoint = field(content, "endpoint");
    name = field(content, "client");
    publicKey = json("{'crv':'Ed25519','kty':'OKP','x':'%s'}", field(content, "x")); // in the order of RFC 7638
    kid = base64url(sha256(publicKey.getBytes(UTF_8)));
    byte[] d = Base64.getUrlDecoder().decode(field(content, "d")), pkcs8 = HexFormat.of().parseHex(
        "302e020100300506032b657004220420" + HexFormat.of().formatHex(d)); // RFC 8410, section 7
    privateKey = KeyFactory.getInstance("Ed25519").generatePrivate(new java.security.spec.PKCS8EncodedKeySpec(pkcs8));
  }

  public static void main(String... args) throws Exception {
    if (args.length == 5 && args[0].equals("enrol")) enrol(args[1], args[2], args[3], Path.of(args[4]));
    else if (args.length == 4 && args[0].equals("run")) new TributaryClient(Path.of(args[1])).run(args[2], Path.of(args[3]));
    else System.err.println("usage: enrol ENDPOINT CODE NAME KEY_FILE | run KEY_FILE TASK CSV_FILE");
  }

  /** The key is in its file before it is sent: enrolling again after a lost answer brings the same one. */
  static void enrol(String endpoint, String code, String name, Path file) throws Exception {
    if (!Files.exists(file)) {
      KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
      Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(file, json("{'endpoint':'%s','client':'%s','privateKey':{'kty':'OKP','crv':'Ed25519',"
          + "'x':'%s','d':'%s'}}", endpoint, name, last32(pair.getPublic()), last32(pair.getPrivate())));
    }
    var client = new TributaryClient(file);
    client.post("/v1/enrolments", json("{'code':'%s','client':'%s','publicKey':%s}", code, name, client.publicKey));
  }

  /** Takes part until the task has ended. @param csv a header, then rows of numbers, of which the last is the class */
  void run(String task, Path csv) throws Exception {
    List<double[]> rows = Files.readAllLines(csv).stream().skip(1)
        .map(line -> Stream.of(line.split(",")).mapToDouble(Double::parseDouble).toArray()).collect(Collectors.toList());
    for (String ticket; (ticket = post("/v1/tasks/" + task + "/tickets", "{}")) != null; ) {
      if (field(ticket, "modelUrl") != null) contribute(task, ticket, rows);
      else Thread.sleep(Long.parseLong(Objects.requireNonNullElse(field(ticket, "retryAfterMs"), "1000")));
    }
  }

  /** One update: downloads, trains, declares with a signed statement, stores. */
  void contribute(String task, String ticket, List<double[]> rows) throws Exception {
    byte[] model = send(HttpRequest.newBuilder(URI.create(field(ticket, "modelUrl"))));
    String id = field(ticket, "ticket"), version = field(ticket, "baseVersion");
    String header = new String(model, 8, (int) littleEndian(model).getLong(), UTF_8);
    float[] base = new float[(model.length - 8 - header.length()) / 4];
    littleEndian(model).position(8 + header.length()).asFloatBuffer().get(base);
    float[] update = train(base.clone(), rows, Integer.parseInt(field(ticket, "localEpochs")),
        Double.parseDouble(field(ticket, "learningRate")));
    for (int i = 0; i < base.length; i++) update[i] -= base[i]; // trained minus base
    String tensors = header.trim().replaceFirst("^\\{(\"__metadata__\":\\{[^}]*},)?", "");
    byte[] file = safetensors(json("{'__metadata__':{'baseVersion':'%s','codec':'float32','examples':'%d','task':'%s'},",
        version, rows.size(), task) + tensors, update);
    String about = json("'bytes':%d,'sha256':'%s','examples':%d", file.length,
        HexFormat.of().formatHex(sha256(file)), rows.size());
    String statement = jws("tributary-update+jwt", json("{'sub':'%s','task':'%s','ticket':'%s','baseVersion':%s,%s}",
        name, task, id, version, about));
    String put = post("/v1/tickets/" + id + "/upload", json("{%s,'agent':'java-example/1','statement':'%s'}", about, statement));
    if (put == null) return; // the ticket has run out
    send(HttpRequest.newBuilder(URI.create(field(put, "url"))).PUT(HttpRequest.BodyPublishers.ofByteArray(file))
        .headers("if-none-match", "*", "x-amz-checksum-sha256", field(put, "x-amz-checksum-sha256")));
  }

  /** Each try has a proof of its own; 5xx is tried again. @return null at 410: the task or the ticket has ended */
  String post(String path, String content) throws Exception {
    byte[] body = content.getBytes(UTF_8), nonce = new byte[16];
    for (int tries = 1; ; tries++) {
      new SecureRandom().nextBytes(nonce);
      String proof = proof("POST", endpoint + path, body, base64url(nonce), System.currentTimeMillis());
      var answer = HTTP.send(HttpRequest.newBuilder(URI.create(endpoint + path)).header("authorization", proof)
          .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
      int status = answer.statusCode();
      if (status < 300 || status == 410 || status == 429) return status == 410 ? null : answer.body();
      if (status < 500 || tries == 5) throw new IllegalStateException(path + ": " + answer.body());
      Thread.sleep(200L << tries);
    }
  }

  /** The value of the Authorization header, for one try of one request. */
  String proof(String method, String url, byte[] body, String nonce, long nowMs) throws Exception {
    return "Tributary " + jws("tributary-proof+jwt", json("{'sub':'%s','htm':'%s','htu':'%s','digest':'%s','iat':%d,"
        + "'jti':'%s'}", name, method, url, base64url(sha256(body)), nowMs / 1000, nonce));
  }

  String jws(String type, String claims) throws Exception {
    String header = json("{'alg':'Ed25519','typ':'%s','kid':'%s'}", type, kid);
    String input = base64url(header.getBytes(UTF_8)) + "." + base64url(claims.getBytes(UTF_8));
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(privateKey);
    signature.update(input.getBytes(UTF_8));
    return input + "." + base64url(signature.sign());
  }

  static byte[] send(HttpRequest.Builder request) throws Exception {
    var answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    if (answer.statusCode() == 200 || answer.statusCode() == 412) return answer.body(); // 412: it is stored already
    throw new IllegalStateException("HTTP " + answer.statusCode() + ": " + new String(answer.body(), UTF_8));
  }

  static byte[] safetensors(String header, float[] values) {
    byte[] json = (header + " ".repeat(-header.length() & 7)).getBytes(UTF_8);
    ByteBuffer file = littleEndian(new byte[8 + json.length + 4 * values.length]);
    file.putLong(json.length).put(json).asFloatBuffer().put(values);
    return file.array();
  }

  /** Softmax regression by hand, one example at a time. @param w the biases [C], then the weights [C, F]; changed */
  static float[] train(float[] w, List<double[]> rows, int epochs, double rate) {
    int features = rows.get(0).length - 1, classes = w.length / (features + 1);
    for (int turn = 0; turn < epochs * rows.size(); turn++) {
      if (turn % rows.size() == 0) Collections.shuffle(rows);
      double[] row = rows.get(turn % rows.size()), p = IntStream.range(0, classes).mapToDouble(c -> Math.exp(w[c]
          + IntStream.range(0, features).mapToDouble(f -> w[classes + c * features + f] * row[f]).sum())).toArray();
      for (int c = 0; c < classes; c++) {
        double step = rate * (p[c] / DoubleStream.of(p).sum() - (row[features] == c ? 1 : 0)); // the cross-entropy by the logit
        w[c] -= step;
        for (int f = 0; f < features; f++) w[classes + c * features + f] -= step * row[f];
      }
    }
    return w;
  }

  /** A field's value, the first of that name: all that this client has to read of JSON. */
  static String field(String json, String name) {
    String[] halves = json.split("\"" + name + "\":\\s*\"?", 2);
    return halves.length == 2 ? halves[1].split("[\",}]", 2)[0] : null;
  }
  static String json(String form, Object... values) { return String.format(Locale.ROOT, form.replace('\'', '"'), values); }
  static byte[] sha256(byte[] bytes) throws Exception { return MessageDigest.getInstance("SHA-256").digest(bytes); }
  static String base64url(byte[] bytes) { return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes); }
  static String last32(Key key) { byte[] all = key.getEncoded(); return base64url(Arrays.copyOfRange(all, all.length - 32, all.length)); }
  static ByteBuffer littleEndian(byte[] bytes) { return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN); }
}
