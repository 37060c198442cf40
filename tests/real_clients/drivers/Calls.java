// Calls a URL at an interval, one call after another, and prints each call as a line of JSON.
// java Calls.java client|urlconnection URL EVERY COUNT
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

class Calls {
  static final String WARM_UP = "http://127.0.0.2:8080/";
  static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  static double now() {
    return System.nanoTime() / 1e9; // the machine's monotonic clock
  }

  static void call(String library, String url) throws Exception {
    if (library.equals("client")) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(5)).build();
      CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
      return;
    }
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    try (InputStream body = connection.getInputStream()) {
      body.readAllBytes();
    }
  }

  public static void main(String[] arguments) throws Exception {
    double every = Double.parseDouble(arguments[2]);
    call(arguments[0], WARM_UP);
    double began = now();
    for (int number = 0; number < Integer.parseInt(arguments[3]); number++) {
      Thread.sleep((long) Math.max(0, (began + number * every - now()) * 1000));
      double at = now();
      String problem = "";
      try {
        call(arguments[0], arguments[1]);
      } catch (Exception error) {
        problem = error.getClass().getSimpleName();
      }
      System.out.println("{\"at\": " + at + ", \"ended\": " + now() + ", \"problem\": \"" + problem + "\"}");
    }
  }
}
