/*
 * cortexctl dev-issuer: keys, key set and a configuration for trying things out.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cortexauth/settings.h>

#include "dev_key.h"

#define KEYS_MAX 4
#define FILES_MAX (KEYS_MAX + 2)

/* Files made so far, to take back when a later step fails. */
struct made {
  const char *folder;
  char paths[FILES_MAX][PATH_MAX];
  size_t count;
  bool made_folder;
};

/* Never over an existing file: somebody may trust the keys in it. */
static bool write_file(struct made *made, const char *name, mode_t mode, const char *bytes,
                       size_t len) {
  char *path = made->paths[made->count];
  FILE *stream;
  bool done;
  int fd;

  if (snprintf(path, PATH_MAX, "%s/%s", made->folder, name) >= PATH_MAX) {
    cli_complain("%s: the name is too long", made->folder);
    return false;
  }
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    cli_complain("%s: %s", path, strerror(errno));
    return false;
  }
  made->count++;
  stream = fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
  if (stream == NULL) {
    cli_complain("%s: %s", path, strerror(errno));
    close(fd);
    return false;
  }
  done = fwrite(bytes, 1, len, stream) == len;
  if (fclose(stream) != 0 || !done) {
    cli_complain("%s: %s", path, strerror(errno));
    return false;
  }
  return true;
}

static bool write_key(struct made *made, const char *name, const EVP_PKEY *key) {
  BIO *memory = BIO_new(BIO_s_secmem());
  char file_name[32];
  char *pem = NULL;
  long len;
  bool done = false;

  snprintf(file_name, sizeof file_name, "%s.pem", name);
  if (memory == NULL || PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) != 1 ||
      (len = BIO_get_mem_data(memory, &pem)) <= 0)
    cli_complain("%s: the key cannot be written", file_name);
  else
    done = write_file(made, file_name, 0600, pem, (size_t)len);
  BIO_free(memory);
  return done;
}

static bool write_keys(struct made *made, json_t *keys) {
  const char *name;
  size_t i;

  for (i = 0; (name = dev_key_name(i)) != NULL; i++) {
    EVP_PKEY *key = dev_key_new(name);
    bool done = key != NULL && write_key(made, name, key) &&
                json_array_append_new(keys, dev_key_jwk(name, key)) == 0;

    EVP_PKEY_free(key);
    if (!done)
      return false;
  }
  return true;
}

static bool write_jwks(struct made *made, json_t *keys) {
  json_t *set = json_pack("{s:b, s:O}", DEV_MEMBER, 1, "keys", keys);
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  bool done = false;

  if (stream != NULL) {
    done = json_dumpf(set, stream, JSON_INDENT(2)) == 0 && fputc('\n', stream) != EOF;
    done = fclose(stream) == 0 && done && write_file(made, "jwks.json", 0644, text, size);
  }
  free(text);
  json_decref(set);
  return done;
}

/* A list's item in double quotes, so that it may hold a comma or a semicolon. */
static bool put_quoted(FILE *stream, const char *text) {
  if (strpbrk(text, "\"\\") != NULL)
    return false;
  fprintf(stream, "\"%s\"", text);
  return true;
}

static char *make_configuration(const struct cli *cli, const char *label, const char *issuer) {
  const char *audience;
  char *text = NULL;
  size_t size = 0, cursor = 0;
  FILE *stream = open_memstream(&text, &size);
  bool fine, first = true;

  if (stream == NULL)
    return NULL;
  fprintf(stream,
          "; A development issuer: whoever can read the keys beside this file can be anyone.\n"
          "; Never trust it where data matters.\n"
          "[oidc \"%s\"]\nissuer = ",
          label);
  fine = put_quoted(stream, issuer);
  fputs("\naudience = ", stream);
  if (!cli_has(cli, "audience"))
    fputs("cortex-dev", stream);
  for (; fine && (audience = cli_next(cli, "audience", &cursor)) != NULL; first = false) {
    fputs(first ? "" : ", ", stream);
    fine = put_quoted(stream, audience);
  }
  fputs("\njwks_file = jwks.json\nusername_claim = preferred_username\n", stream);
  if (fclose(stream) != 0 || !fine) {
    free(text);
    text = NULL;
  }
  return text;
}

static bool write_configuration(struct made *made, const char *text) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  char path[PATH_MAX];
  bool fine;

  snprintf(path, sizeof path, "%.*s/cortex.conf", (int)sizeof path - 16, made->folder);
  fine = cortex_settings_parse(path, text, strlen(text), &settings, &error) == CORTEX_OK;
  cortex_settings_free(&settings);
  if (!fine)
    cli_complain("%s", error.message);
  return fine && write_file(made, "cortex.conf", 0644, text, strlen(text));
}

static void take_back(const struct made *made) {
  size_t i;

  for (i = 0; i < made->count; i++)
    unlink(made->paths[i]);
  if (made->made_folder)
    rmdir(made->folder);
}

/* The configuration is checked before any key is made: it is where input can be wrong. */
static bool make_issuer(const struct cli *cli, struct made *made) {
  const char *label = cli_value_or(cli, "label", "dev");
  const char *issuer = cli_value_or(cli, "issuer", "https://dev.cortex.invalid");
  char *configuration = make_configuration(cli, label, issuer);
  json_t *keys = json_array();
  bool done = false;

  if (configuration == NULL || keys == NULL)
    cli_complain("--issuer and --audience may not hold quotes or backslashes");
  else
    done = write_configuration(made, configuration) && write_keys(made, keys) &&
           write_jwks(made, keys);
  json_decref(keys);
  free(configuration);
  return done;
}

static enum cli_exit run(const struct cli *cli) {
  struct made *made = calloc(1, sizeof *made);
  enum cli_exit code = CLI_USAGE;

  if (made == NULL) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  made->folder = cli->operands[0];
  made->made_folder = mkdir(made->folder, 0755) == 0 && chmod(made->folder, 0755) == 0;
  if (!made->made_folder && errno != EEXIST) {
    cli_complain("%s: %s", made->folder, strerror(errno));
  } else if (make_issuer(cli, made)) {
    printf("%s/cortex.conf\n", made->folder);
    code = CLI_DONE;
  } else {
    take_back(made);
  }
  free(made);
  return code;
}

static const struct cli_option options[] = {
    {"issuer", "URL", "its name (https://dev.cortex.invalid)", false, false},
    {"audience", "NAME", "whom its tokens are for; may be repeated (cortex-dev)", false, true},
    {"label", "LABEL", "the label of its section (dev)", false, false},
    {0},
};

const struct cli_verb cmd_dev_issuer = {
    "dev-issuer", "DIR", 1, 1, "make keys, key set and configuration of a development issuer",
    options,      run};
