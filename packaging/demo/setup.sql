-- Two databases with one table each, and what cortex-sync needs. The roles are its work.
create extension cortex;
create database payroll;
create database analytics_staging;
create database analytics_production;
\connect analytics_staging
create table orders (id int, item text);
insert into orders values (1, 'a staging order'), (2, 'another one');
\connect analytics_production
create table orders (id int, item text);
insert into orders values (1, 'a real customer''s order');
