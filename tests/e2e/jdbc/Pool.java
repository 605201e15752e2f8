/*
 * A pool as an application has it: no password in its configuration, PGPASSFILE in its environment.
 * Reads once, and once more on a new connection for each line it is given.
 * SPDX-License-Identifier: PostgreSQL
 */
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;

public class Pool {
  public static void main(String[] arguments) throws Exception {
    var config = new HikariConfig();
    config.setJdbcUrl(arguments[0]);
    config.setMaximumPoolSize(1);
    var lines = new BufferedReader(new InputStreamReader(System.in));
    try (var pool = new HikariDataSource(config)) {
      do {
        pool.getHikariPoolMXBean().softEvictConnections();
        try (var connection = pool.getConnection(); var statement = connection.createStatement();
            var rows = statement.executeQuery("select count(*) from orders")) {
          rows.next();
          System.out.println(rows.getInt(1));
        }
      } while (lines.readLine() != null);
    }
  }
}
