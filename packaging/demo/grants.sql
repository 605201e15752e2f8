-- What the group role may do is the administrator's own business; cortex-sync made the role.
\connect analytics_staging
grant select on orders to analytics_reader;
\connect analytics_production
grant select on orders to analytics_reader;
