import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Starts DynamoDB Local on one address; by itself it listens on every one, and has no option for that. Its tables are in
 * memory, or in a folder if one is given.
 * It ends when its standard input does, so it never outlives the process that started it.
 */
class DynamoDbLocal {
    public static void main(String[] args) throws Exception {
        String host = args[0], port = args[1];
        List<String> options = new ArrayList<>(List.of("-sharedDb", "-disableTelemetry", "-port", port));
        options.addAll(args.length > 2 ? List.of("-dbPath", args[2]) : List.of("-inMemory"));
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(options.toArray(new String[0]));
        var field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        ((ServerConnector) ((Server) field.get(local)).getConnectors()[0]).setHost(host);
        local.start();
        while (System.in.read() >= 0) { }
        System.exit(0);
    }
}
