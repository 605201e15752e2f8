-- Two databases with one table each; alice and bob read through a group role.
create role analytics_reader nologin;
create role alice login in role analytics_reader;
create role bob login in role analytics_reader;
create database payroll;
create database analytics_staging;
create database analytics_production;
\connect analytics_staging
create table orders (id int, item text);
insert into orders values (1, 'a staging order'), (2, 'another one');
grant select on orders to analytics_reader;
\connect analytics_production
create table orders (id int, item text);
insert into orders values (1, 'a real customer''s order');
grant select on orders to analytics_reader;
